import { describe, expect, it } from '@jest/globals';
import { a, b, c, contradicted, disputes, election, flush, useElection } from '../../../test/fakes/election.ts';
import { fakeInference } from '../../../test/fakes/fake-engine.ts';
import type { HandDriven } from '../../../test/fakes/hand-driven.ts';
import { readoutDigest } from '../../engines/readout-digest.ts';
import type { AttemptOptions } from '../attempt.ts';
import type { Outcome } from '../executor.ts';
import { RetryBudget } from '../retry-budget.ts';

useElection();

describe('a vote that only digests won', () => {
  /** Of what every fake engine answers in full. */
  const readout = readoutDigest(fakeInference());
  const digests = { spikeCounts: [], potentials: Buffer.alloc(0), readoutDigest: readout };

  /** The one asked for a whole answer, a, gives none, and the others vote for 7. */
  async function wonByDigests(options: Partial<AttemptOptions> = {}): Promise<Promise<Outcome<HandDriven>>[]> {
    const voting = election([a, b, c], {}, options);
    a.fail('ENGINE_LOST');
    b.answer(7n, digests);
    c.answer(7n, digests);
    voting.catch(() => undefined);
    await flush();
    return [voting]; // in an array, for a promise of a promise is one promise
  }

  it('asks one that won for its whole answer', async () => {
    const [voting] = await wonByDigests();
    b.answer(7n);
    expect(await voting).toMatchObject({ engine: { id: 'b' }, grade: 'UNANIMOUS', inference: { spikeCounts: [3, 1] } });
  });

  it('asks the next one, and tells of the first, if that gives another answer than it voted for', async () => {
    const [voting] = await wonByDigests();
    b.answer(7n, { spikeCounts: [3, 2], readoutDigest: readout });
    await flush();
    c.answer(7n);
    expect((await voting)?.engine.id).toBe('c');
    expect(disputes).toMatchObject([{ wrong: ['b'], right: { stateDigest: 7n, readoutDigest: readout } }]);
  });

  it('asks the next one if the first is lost', async () => {
    const [voting] = await wonByDigests();
    b.fail('ENGINE_LOST');
    await flush();
    c.answer(7n);
    expect((await voting)?.engine.id).toBe('c');
    expect(disputes).toEqual([]);
  });

  it('asks the next one, and tells of the first, if that now refuses what it had answered', async () => {
    const [voting] = await wonByDigests();
    b.fail('NON_FINITE', { step: '3', node: 'lif1' });
    await flush();
    c.answer(7n);
    expect((await voting)?.engine.id).toBe('c');
    expect(disputes).toMatchObject([{ verdict: 'CONTRADICTED_ITSELF', wrong: ['b'], right: { stateDigest: 7n } }]);
    expect(disputes[0]!.ballots[1]).toMatchObject({
      outcome: 'DISSENTED',
      stateDigest: undefined,
      why: 'NON_FINITE, step 3, node lif1',
    });
  });

  it('never gives digests for an answer, however true they are', async () => {
    const [voting] = await wonByDigests();
    b.answer(7n, digests);
    await flush();
    c.answer(7n);
    expect(await voting).toMatchObject({ engine: { id: 'c' }, inference: { spikeCounts: [3, 1] } });
    expect(disputes).toMatchObject([{ verdict: 'CONTRADICTED_ITSELF', wrong: ['b'] }]);
  });

  it('asks for a whole answer where the engine that was to give one gave its digests alone', async () => {
    const voting = election([a, b, c]);
    for (const engine of [a, b, c]) engine.answer(7n, digests);
    await flush();
    a.answer(7n, digests);
    await flush();
    b.answer(7n);
    expect(await voting).toMatchObject({ engine: { id: 'b' }, inference: { spikeCounts: [3, 1] } });
  });

  it('fails in words of its own where none gives it', async () => {
    const [voting] = await wonByDigests();
    b.fail('INPUT_LENGTH');
    await flush();
    c.fail('ENGINE_LOST');
    await flush();
    a.fail('ENGINE_LOST');
    await expect(voting).rejects.toMatchObject({ kind: 'NO_ENGINE' });
  });

  it('asks one that has not voted where those that won have gone', async () => {
    const [voting] = await wonByDigests();
    b.fail('ENGINE_LOST');
    await flush();
    c.fail('ENGINE_LOST');
    await flush();
    a.answer(7n);
    expect((await voting)?.engine.id).toBe('a');
  });

  it('does not take another answer from that one, and tells that it contradicts those that won', async () => {
    const [voting] = await wonByDigests();
    b.fail('ENGINE_LOST');
    await flush();
    c.fail('ENGINE_LOST');
    await flush();
    a.answer(8n);
    await expect(voting).rejects.toMatchObject({ kind: 'NO_ENGINE' });
    expect(contradicted).toEqual([['b', 'c', 'a']]);
  });

  it('asks no further engine when the retry budget is spent', async () => {
    const [voting] = await wonByDigests({ budget: new RetryBudget(0, 0) });
    await expect(voting).rejects.toMatchObject({ kind: 'NO_ENGINE' });
  });

  it('but does where the whole answer there was has lost: a liar is not load', async () => {
    const voting = election([a, b, c], {}, { budget: new RetryBudget(0, 0) });
    a.answer(6n);
    b.answer(7n, digests);
    c.answer(7n, digests);
    await flush();
    b.answer(7n);
    expect((await voting).engine.id).toBe('b');
  });
});
