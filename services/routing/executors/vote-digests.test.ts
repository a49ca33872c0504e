import { describe, expect, it } from '@jest/globals';
import { a, b, c, contradicted, disputes, election, flush, useElection } from '../../../test/fakes/election.ts';
import { fakeInference } from '../../../test/fakes/fake-engine.ts';
import type { HandDriven } from '../../../test/fakes/hand-driven.ts';
import { readoutDigest } from '../../engines/readout-digest.ts';
import type { AttemptOptions } from '../attempt.ts';
import type { Outcome } from '../executor.ts';
import { RetryBudget } from '../retry-budget.ts';

useElection();

describe('vote, if the winners sent only digests,', () => {
  /** The readout digest of every fake engine’s full answer. */
  const readout = readoutDigest(fakeInference());
  const digests = { spikeCounts: [], potentials: Buffer.alloc(0), readoutDigest: readout };

  /** Engine a, which was asked for a full answer, fails; the others vote for 7. */
  async function wonByDigests(options: Partial<AttemptOptions> = {}): Promise<Promise<Outcome<HandDriven>>[]> {
    const voting = election([a, b, c], {}, options);
    a.fail('ENGINE_LOST');
    b.answer(7n, digests);
    c.answer(7n, digests);
    voting.catch(() => undefined);
    await flush();
    return [voting]; // in an array, since await would also resolve a returned promise
  }

  it('asks a winner for its full answer', async () => {
    const [voting] = await wonByDigests();
    b.answer(7n);
    expect(await voting).toMatchObject({ engine: { id: 'b' }, grade: 'UNANIMOUS', inference: { spikeCounts: [3, 1] } });
  });

  it('asks the next winner and reports the first if its answers differ', async () => {
    const [voting] = await wonByDigests();
    b.answer(7n, { spikeCounts: [3, 2], readoutDigest: readout });
    await flush();
    c.answer(7n);
    expect((await voting)?.engine.id).toBe('c');
    expect(disputes).toMatchObject([{ wrong: ['b'], right: { stateDigest: 7n, readoutDigest: readout } }]);
  });

  it('asks the next winner if the first is lost', async () => {
    const [voting] = await wonByDigests();
    b.fail('ENGINE_LOST');
    await flush();
    c.answer(7n);
    expect((await voting)?.engine.id).toBe('c');
    expect(disputes).toEqual([]);
  });

  it('asks the next winner and reports the first if it now refuses', async () => {
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

  it('never returns digests, even correct ones, as an answer', async () => {
    const [voting] = await wonByDigests();
    b.answer(7n, digests);
    await flush();
    c.answer(7n);
    expect(await voting).toMatchObject({ engine: { id: 'c' }, inference: { spikeCounts: [3, 1] } });
    expect(disputes).toMatchObject([{ verdict: 'CONTRADICTED_ITSELF', wrong: ['b'] }]);
  });

  it('asks for a full answer if every ballot had only digests', async () => {
    const voting = election([a, b, c]);
    for (const engine of [a, b, c]) engine.answer(7n, digests);
    await flush();
    a.answer(7n, digests);
    await flush();
    b.answer(7n);
    expect(await voting).toMatchObject({ engine: { id: 'b' }, inference: { spikeCounts: [3, 1] } });
  });

  it('fails with NO_ENGINE if no engine gives a full answer', async () => {
    const [voting] = await wonByDigests();
    b.fail('INPUT_LENGTH');
    await flush();
    c.fail('ENGINE_LOST');
    await flush();
    a.fail('ENGINE_LOST');
    await expect(voting).rejects.toMatchObject({ kind: 'NO_ENGINE' });
  });

  it('asks an engine that has not voted if all winners are lost', async () => {
    const [voting] = await wonByDigests();
    b.fail('ENGINE_LOST');
    await flush();
    c.fail('ENGINE_LOST');
    await flush();
    a.answer(7n);
    expect((await voting)?.engine.id).toBe('a');
  });

  it('refuses and reports that engine’s answer if it contradicts the winners', async () => {
    const [voting] = await wonByDigests();
    b.fail('ENGINE_LOST');
    await flush();
    c.fail('ENGINE_LOST');
    await flush();
    a.answer(8n);
    await expect(voting).rejects.toMatchObject({ kind: 'NO_ENGINE' });
    expect(contradicted).toEqual([['b', 'c', 'a']]);
  });

  it('asks no further engine if the retry budget is spent', async () => {
    const [voting] = await wonByDigests({ budget: new RetryBudget(0, 0) });
    await expect(voting).rejects.toMatchObject({ kind: 'NO_ENGINE' });
  });

  it('asks a winner without a retry if the only full answer lost', async () => {
    const voting = election([a, b, c], {}, { budget: new RetryBudget(0, 0) });
    a.answer(6n);
    b.answer(7n, digests);
    c.answer(7n, digests);
    await flush();
    b.answer(7n);
    expect((await voting).engine.id).toBe('b');
  });
});
