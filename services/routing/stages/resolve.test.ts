import { describe, expect, it } from '@jest/globals';
import { build, context, engine, question, version } from '../../../test/fakes/router-parts.ts';
import { RouterError } from '../../core/errors.ts';
import type { ModelVote } from '../../config/vote.ts';
import type { ReasonQuestion } from '../question.ts';
import type { ReasonAnswer } from '../router.ts';

const IDS = ['a', 'b', 'c'];

/** Asks three engines in any way. */
function ask(over: Partial<ReasonQuestion>, vote?: ModelVote): Promise<ReasonAnswer> {
  return build(IDS.map(engine), [version(1, { vote })]).reason(question(over), context());
}

async function votersOf(answer: Promise<ReasonAnswer>): Promise<number> {
  return (await answer).answer.ballots.length;
}

async function errorOf(answer: Promise<ReasonAnswer>): Promise<unknown> {
  return await answer.then(
    () => 'answered',
    (thrown: unknown) => RouterError.from(thrown),
  );
}

describe('the strategy of a request', () => {
  it('is the router’s if it names none', async () => {
    const router = build(IDS.map(engine));
    expect((await router.reason(question(), context())).answer.strategy).toBe('ROUND_ROBIN');
    router.strategy = 'HEDGED';
    expect((await router.reason(question(), context())).answer.strategy).toBe('HEDGED');
    expect((await router.reason(question({ strategy: 'FASTEST' }), context())).answer.strategy).toBe('FASTEST');
  });

  it('is REDUNDANT if it asks for a vote', async () => {
    expect((await ask({ vote: {} })).answer.strategy).toBe('REDUNDANT');
  });

  it('must vote if it asks for a vote', async () => {
    expect(await errorOf(ask({ vote: {}, strategy: 'HEDGED' }))).toMatchObject({
      kind: 'INVALID_FIELD',
      violation: { field: 'vote' },
      message: 'HEDGED does not vote; leave out "vote", or send strategy STRATEGY_REDUNDANT',
    });
  });
});

describe('the vote of a request', () => {
  it('has the participants of the settings, of the model, or of the request', async () => {
    expect(await votersOf(ask({ strategy: 'REDUNDANT' }))).toBe(3);
    expect(await votersOf(ask({ strategy: 'REDUNDANT' }, { participants: 2 }))).toBe(2);
    expect(await votersOf(ask({ vote: { participants: 3 } }, { participants: 2 }))).toBe(3);
    expect(await votersOf(ask({ strategy: 'ROUND_ROBIN' }))).toBe(0);
  });

  it('has at most 15 participants', async () => {
    expect(await errorOf(ask({ vote: { participants: 15 } }))).toMatchObject({ kind: 'VOTE_TOO_FEW' });
    expect(await errorOf(ask({ vote: { participants: 16 } }))).toMatchObject({
      kind: 'INVALID_FIELD',
      violation: { field: 'vote.participants' },
    });
  });
});
