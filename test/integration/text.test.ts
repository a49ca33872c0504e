// Text input: the same answer through every interface, exactly equal on both kinds of engine, and refusals that name
// the field.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ReasonRequest } from '../../services/generated/tandem/v1/reasoning.ts';
import { compareTexts } from '../load/equal-texts.ts';
import { readHeldout } from '../support/heldout.ts';
import { refusalOf } from '../support/refusal.ts';
import { type System, startSystem } from '../support/system.ts';
import { randomTexts } from '../support/texts.ts';

const AT_ONCE = 25; // a busy machine cannot serve many at once in time

let system: System;

beforeAll(async () => {
  system = await startSystem({
    ...{ models_dir: 'deploy/models', spawn: { count: 1 }, vote: { participants: 2 } },
    overload: { max_wait_ms: 60_000 }, // many texts at once are much for a slow machine
  });
});

afterAll(async () => {
  await system.stop();
});

describe('a text', () => {
  it('is answered by the model for text, if no model is named', async () => {
    const answer = await system.reason({ text: 'a small furry animal' });
    expect([answer.model, answer.label]).toEqual(['supersense-text', 'noun.animal']);
  });

  it('has the same answer for every order and case of its words', async () => {
    const one = await system.reason({ text: 'a small furry animal' });
    const other = await system.reason({ text: 'Animal furry SMALL a' });
    expect(other.stateDigest).toBe(one.stateDigest);
  });

  it('gives the same bits on the local engine and on a sidecar', async () => {
    const seed = Date.now() % 2 ** 31;
    const { texts, equal, firstOther } = await compareTexts(system, randomTexts(100, seed));
    expect([`seed ${seed}`, equal, firstOther]).toEqual([`seed ${seed}`, texts, '']);
  });

  it('is classified without a sentence encoder', async () => {
    const heldout = readHeldout();
    let right = 0;
    for (let from = 0; from < heldout.length; from += AT_ONCE) {
      const some = heldout.slice(from, from + AT_ONCE);
      const answers = await Promise.all(some.map(({ text }) => system.reason({ text })));
      right += answers.filter(({ label }, index) => label === some[index]!.label).length;
    }
    expect(right / heldout.length).toBeGreaterThan(0.74);
  });

  it.each<[string, Partial<ReasonRequest>, string]>([
    ['a model without a tokenizer', { text: 'a dog', model: 'supersense' }, 'TEXT_UNSUPPORTED'],
    ['nothing but spaces', { text: ' \n' }, 'TEXT_EMPTY'],
    ['more bytes than the limit', { text: 'ü'.repeat(4_097) }, 'TEXT_TOO_LONG'],
    ['an encoding beside it', { text: 'a dog', encoding: [1] }, 'INVALID_FIELD'],
    [
      'a tensor beside it',
      { text: 'a dog', tensor: { shape: [1], dtype: '', data: Buffer.alloc(4) } },
      'INVALID_FIELD',
    ],
  ])('is refused with %s', async (_, request, reason) => {
    expect(await refusalOf(system.reason(request))).toMatchObject({ code: 'INVALID_ARGUMENT', reason, field: 'text' });
  });
});
