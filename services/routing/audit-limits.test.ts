// Which answers an audit checks, how it asks, and what its report has.
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FakeEngine, fakeInference, fakeModel, fakePins } from '../../test/fakes/fake-engine.ts';
import { fakeBreaker, silent } from '../../test/fakes/fake-parts.ts';
import { EnginePool } from '../engines/pool.ts';
import { Audit } from './audit.ts';
import type { Dispute } from './dispute.ts';

let fakes: FakeEngine[];
let pool: EnginePool;
let seen: string[];
let disputes: Dispute[];

const lie = fakeInference({ stateDigest: 66n });

function start(engines: number): void {
  pool = new EnginePool(fakePins, fakeBreaker);
  fakes = Array.from({ length: engines }, (_, n) => new FakeEngine(`${n}`).up(fakeModel()));
  for (const fake of fakes) pool.add(fake);
  seen = [];
  disputes = [];
}

const build = (rate: number): Audit =>
  new Audit({
    rate,
    observer: { ...silent, voted: (verdict) => seen.push(verdict) },
    onDispute: (dispute) => disputes.push(dispute),
  });

/** Audits `times` answers of the first engine, one after the other. */
async function answer(audit: Audit, times: number, said = fakeInference()): Promise<void> {
  const input = { model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) };
  for (let n = 0; n < times; n += 1) {
    const claim = { engine: pool.find('0'), said, durationMs: 17 };
    audit.maybeAudit([claim], pool.engines, { input, strategy: 'ROUND_ROBIN' }, () => undefined);
    await new Promise(setImmediate);
  }
}

beforeEach(() => start(3));

describe('an audit', () => {
  it.each([
    [1, 4],
    [0.5, 2],
    [0.25, 1],
    [0, 0],
  ])('at a rate of %d checks of four answers %d', async (rate, audits) => {
    await answer(build(rate), 4);
    expect(seen).toEqual(Array(audits).fill('AUDITED'));
  });

  it('has the rate that is set', async () => {
    const audit = build(0);
    audit.configure({ rate: 1 });
    await answer(audit, 2);
    expect(seen).toEqual(['AUDITED', 'AUDITED']);
  });

  it('asks one engine if that agrees, however many there are', async () => {
    start(7);
    await answer(build(1), 1);
    expect([seen, fakes.reduce((sum, { calls }) => sum + calls.length, 0)]).toEqual([['AUDITED'], 1]);
  });

  it.each([
    [0.49, true],
    [0.5, false],
  ])('asks for the digest or for the whole answer by chance: %d', async (chance, digestOnly) => {
    const random = jest.spyOn(Math, 'random').mockReturnValue(chance);
    await answer(build(1), 1);
    random.mockRestore();
    const calls = fakes.flatMap((each) => each.calls);
    expect(calls.map(({ input }) => input.digestOnly)).toEqual([digestOnly]);
  });

  it('gives the other engine time to answer', async () => {
    const startedMs = performance.now();
    await answer(build(1), 1);
    const [{ context }] = fakes.flatMap((each) => each.calls) as [FakeEngine['calls'][number]];
    expect(context.deadlineMs).toBeGreaterThan(startedMs + 100);
    expect(context.signal.aborted).toBe(false);
  });

  it('reports the time that the answer took', async () => {
    await answer(build(1), 1, lie);
    expect(disputes).toHaveLength(1);
    const [given, ...others] = disputes[0]!.ballots;
    expect(given).toMatchObject({ engineId: '0', outcome: 'DISSENTED', durationMs: 17 });
    for (const { durationMs } of others) expect(durationMs).not.toBe(17);
  });
});
