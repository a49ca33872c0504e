import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeEngine, fakeInference, fakeModel } from '../../test/fakes/fake-engine.ts';
import { fakeBreaker, silent } from '../../test/fakes/fake-parts.ts';
import { EnginePool } from '../engines/pool.ts';
import { Audit } from './audit.ts';
import type { Dispute } from './dispute.ts';

const input = { model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) };

let fakes: Record<'a' | 'b' | 'c', FakeEngine>;
let pool: EnginePool;
let seen: [verdict: string, wrong: readonly string[]][];
let disputes: Dispute[];
let wrongs: number;

beforeEach(() => {
  pool = new EnginePool(fakeBreaker);
  fakes = { a: new FakeEngine('a'), b: new FakeEngine('b'), c: new FakeEngine('c') };
  for (const fake of Object.values(fakes)) pool.add(fake.up(fakeModel()));
  seen = [];
  disputes = [];
  wrongs = 0;
});

/** Answers of the engines `ids` in turn, which say `stateDigest`, looked at one after the other. */
async function answer(times: number, rate: number, stateDigest = 99n, ids = ['a']): Promise<void> {
  const audit = new Audit({
    rate,
    observer: { ...silent, voted: (verdict, wrong) => seen.push([verdict, wrong]) },
    onDispute: (dispute) => disputes.push(dispute),
  });
  for (let n = 0; n < times; n += 1) {
    const engine = pool.find(ids[n % ids.length]!);
    audit.maybeAudit(
      [{ engine, said: fakeInference({ stateDigest }), durationMs: 1 }],
      pool.engines,
      { input, strategy: 'ROUND_ROBIN' },
      () => (wrongs += 1),
    );
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const lie = (name: 'b' | 'c', stateDigest: bigint): void => {
  fakes[name].behaviour = () => Promise.resolve(fakeInference({ stateDigest }));
};

describe('an audit', () => {
  it('checks its share of the answers on a second engine, spread evenly', async () => {
    await answer(100, 0.05);
    expect(seen).toEqual(Array(5).fill(['AUDITED', []]));
    expect([fakes.a.calls.length, fakes.b.calls.length + fakes.c.calls.length]).toEqual([0, 5]);
  });

  it('checks that share of every engine’s answers, whoever’s turn it is', async () => {
    fakes.c.down('killed'); // so that the witness of one is the other
    await answer(80, 0.05, 99n, ['a', 'b']);
    expect([fakes.a.calls.length, fakes.b.calls.length]).toEqual([2, 2]);
  });

  it('asks for no more than digests', async () => {
    await answer(1, 1);
    expect([...fakes.b.calls, ...fakes.c.calls].map((call) => call.input.digestOnly)).toEqual([true]);
  });

  it('lets the others say who is wrong where two differ: the one that answered', async () => {
    await answer(1, 1, 666n);
    expect([seen, wrongs]).toEqual([[['AUDIT_DISPUTED', ['a']]], 1]);
    expect(disputes[0]).toMatchObject({ wrong: ['a'], right: { stateDigest: 99n } });
  });

  it('… or the witness, and then the answer was right', async () => {
    lie('b', 666n);
    await answer(20, 1);
    expect([wrongs, new Set(seen.flatMap(([, wrong]) => wrong))]).toEqual([0, new Set(['b'])]);
  });

  it('takes no answer for right where all differ', async () => {
    lie('b', 5n);
    lie('c', 6n);
    await answer(1, 1);
    expect([seen, wrongs, disputes[0]?.right]).toEqual([[['AUDIT_DISPUTED', []]], 1, undefined]);
  });

  it('lets more than half of all engines say so, for a few may lie alike', async () => {
    for (const id of ['d', 'e']) pool.add(new FakeEngine(id).up(fakeModel()));
    lie('b', 666n);
    lie('c', 666n);
    await answer(20, 1);
    expect([wrongs, new Set(seen.flatMap(([, wrong]) => wrong))]).toEqual([0, new Set(['b', 'c'])]);
  });

  it('blames nobody where only two can be asked, and takes the answer back', async () => {
    fakes.c.down('killed');
    lie('b', 666n);
    await answer(1, 1);
    expect([seen, wrongs]).toEqual([[['AUDIT_DISPUTED', []]], 1]);
  });

  it('takes an engine that proves nothing for absent', async () => {
    fakes.c.down('killed');
    fakes.b.behaviour = () => Promise.resolve(fakeInference({ spikeCounts: [], potentials: Buffer.alloc(0) }));
    await answer(1, 1);
    expect(seen).toEqual([]);
  });

  it('is left out where there is nobody to ask', async () => {
    fakes.b.down('killed');
    fakes.c.down('killed');
    await answer(3, 1);
    expect([seen, wrongs]).toEqual([[], 0]);
  });

  it('never has more than four under way', async () => {
    for (const fake of [fakes.b, fakes.c]) fake.behaviour = () => new Promise(() => undefined);
    await answer(20, 1);
    expect(fakes.b.calls.length + fakes.c.calls.length).toBe(4);
  });
});
