import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeEngine, fakeInference, fakeModel, fakePins } from '../../test/fakes/fake-engine.ts';
import { fakeBreaker, silent } from '../../test/fakes/fake-parts.ts';
import { RouterError } from '../core/errors.ts';
import type { Inference } from '../core/inference.ts';
import { EnginePool } from '../engines/pool.ts';
import type { PooledEngine } from '../engines/pooled-engine.ts';
import type { Claim } from './executor.ts';
import { Audit, type AuditOptions } from './audit.ts';
import type { Dispute } from './dispute.ts';

const input = { model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) };

let fakes: Record<'a' | 'b' | 'c', FakeEngine>;
let pool: EnginePool;
let seen: [verdict: string, wrong: readonly string[]][];
let disputes: Dispute[];
let wrongs: number;

beforeEach(() => {
  pool = new EnginePool(fakePins, fakeBreaker);
  fakes = { a: new FakeEngine('a'), b: new FakeEngine('b'), c: new FakeEngine('c') };
  for (const fake of Object.values(fakes)) pool.add(fake.up(fakeModel()));
  seen = [];
  disputes = [];
  wrongs = 0;
});

function build(rate: number, over: Partial<AuditOptions> = {}): Audit {
  return new Audit({
    rate,
    observer: { ...silent, voted: (verdict, wrong) => seen.push([verdict, wrong]) },
    onDispute: (dispute) => disputes.push(dispute),
    ...over,
  });
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const refusal = (step = '3'): RouterError =>
  new RouterError('NON_FINITE', 'on purpose', { metadata: { step, node: 'lif1' } });

/** Audits one request with the given claims, by engine. */
async function audited(audit: Audit, said: Partial<Record<'a' | 'b' | 'c', Inference | RouterError>>): Promise<void> {
  const claims = Object.entries(said).map(([id, claim]): Claim<PooledEngine> => {
    return { engine: pool.find(id), said: claim, durationMs: 1 };
  });
  audit.maybeAudit(claims, pool.engines, { input, strategy: 'ROUND_ROBIN' }, () => (wrongs += 1));
  await settle();
}

/** Audits `times` answers with `stateDigest`, from the engines `ids` in turn, one after the other. */
async function answer(times: number, rate: number, stateDigest = 99n, ids = ['a']): Promise<void> {
  const audit = build(rate);
  for (let n = 0; n < times; n += 1) {
    const engine = pool.find(ids[n % ids.length]!);
    audit.maybeAudit(
      [{ engine, said: fakeInference({ stateDigest }), durationMs: 1 }],
      pool.engines,
      { input, strategy: 'ROUND_ROBIN' },
      () => (wrongs += 1),
    );
    await settle();
  }
}

const lie = (name: 'b' | 'c', stateDigest: bigint): void => {
  fakes[name].behaviour = () => Promise.resolve(fakeInference({ stateDigest }));
};

describe('Audit', () => {
  it('checks its rate of answers on a second engine, evenly spread', async () => {
    await answer(100, 0.05);
    expect(seen).toEqual(Array(5).fill(['AUDITED', []]));
    expect([fakes.a.calls.length, fakes.b.calls.length + fakes.c.calls.length]).toEqual([0, 5]);
  });

  it('checks the same rate of each engine’s answers', async () => {
    fakes.c.down('killed'); // so that each of a and b audits the other
    await answer(80, 0.05, 99n, ['a', 'b']);
    expect([fakes.a.calls.length, fakes.b.calls.length]).toEqual([2, 2]);
  });

  it('asks for digests only or in full at random, as requests do', async () => {
    await answer(100, 1);
    const modes = [...fakes.b.calls, ...fakes.c.calls].map((call) => call.input.digestOnly);
    expect(modes).toHaveLength(100);
    for (const digestOnly of [true, false]) {
      expect(modes.filter((each) => each === digestOnly).length).toBeGreaterThan(20);
    }
  });

  it('names the answering engine as wrong if the others contradict it', async () => {
    await answer(1, 1, 666n);
    expect([seen, wrongs]).toEqual([[['AUDIT_DISPUTED', ['a']]], 1]);
    expect(disputes[0]).toMatchObject({ wrong: ['a'], right: { stateDigest: 99n } });
  });

  it('names the second engine as wrong if the others confirm the answer', async () => {
    lie('b', 666n);
    await answer(20, 1);
    expect([wrongs, new Set(seen.flatMap(([, wrong]) => wrong))]).toEqual([0, new Set(['b'])]);
  });

  it('names no engine as wrong if all answers differ', async () => {
    lie('b', 5n);
    lie('c', 6n);
    await answer(1, 1);
    expect([seen, wrongs, disputes[0]?.right]).toEqual([[['AUDIT_DISPUTED', []]], 1, undefined]);
  });

  it('names two engines as wrong if more than half of all contradict them', async () => {
    for (const id of ['d', 'e']) pool.add(new FakeEngine(id).up(fakeModel()));
    lie('b', 666n);
    lie('c', 666n);
    await answer(20, 1);
    expect([wrongs, new Set(seen.flatMap(([, wrong]) => wrong))]).toEqual([0, new Set(['b', 'c'])]);
  });

  it('names no engine if only two are available, and revokes the answer', async () => {
    fakes.c.down('killed');
    lie('b', 666n);
    await answer(1, 1);
    expect([seen, wrongs]).toEqual([[['AUDIT_DISPUTED', []]], 1]);
  });

  it('counts an engine without a proof as absent', async () => {
    fakes.c.down('killed');
    fakes.b.behaviour = () => Promise.resolve(fakeInference({ spikeCounts: [], potentials: Buffer.alloc(0) }));
    await answer(1, 1);
    expect(seen).toEqual([]);
  });

  it('does nothing if there is no other engine', async () => {
    fakes.b.down('killed');
    fakes.c.down('killed');
    await answer(3, 1);
    expect([seen, wrongs]).toEqual([[], 0]);
  });

  it('runs at most four audits at once', async () => {
    for (const fake of [fakes.b, fakes.c]) fake.behaviour = () => new Promise(() => undefined);
    await answer(20, 1);
    expect(fakes.b.calls.length + fakes.c.calls.length).toBe(4);
  });
});

describe('Audit of refusals', () => {
  const refuse = (...ids: ('a' | 'b' | 'c')[]): void => {
    for (const id of ids) fakes[id].behaviour = () => Promise.reject(refusal());
  };

  it('names the answering engine as wrong if the others refuse', async () => {
    refuse('b', 'c');
    await audited(build(1), { a: fakeInference() });
    expect([seen, wrongs]).toEqual([[['AUDIT_DISPUTED', ['a']]], 1]);
    expect(disputes).toMatchObject([{ wrong: ['a'], right: undefined }]);
  });

  it('names the second engine as wrong if it refuses and the others answer', async () => {
    refuse('b');
    for (let n = 0; n < 20; n += 1) await audited(build(1), { a: fakeInference() });
    expect([wrongs, new Set(seen.flatMap(([, wrong]) => wrong))]).toEqual([0, new Set(['b'])]);
    const cast = disputes[0]!.ballots.find(({ engineId }) => engineId === 'b');
    expect(cast).toMatchObject({ outcome: 'DISSENTED', why: 'NON_FINITE, step 3, node lif1' });
  });

  it('checks its rate of refusals on an engine that did not confirm them', async () => {
    refuse('c');
    await audited(build(1), { a: refusal(), b: refusal() });
    expect([seen, fakes.c.calls.length]).toEqual([[['AUDITED', []]], 1]);
    await audited(build(0), { a: refusal(), b: refusal() });
    expect(fakes.c.calls).toHaveLength(1);
  });

  it('records nothing if every engine was already asked', async () => {
    fakes.c.down('killed');
    await audited(build(1), { a: refusal(), b: refusal() });
    expect(seen).toEqual([]);
  });
});

describe('Audit of a request that one engine refused and another answered', () => {
  it('always runs, and names the refusing engine if the others answer', async () => {
    await audited(build(0), { a: refusal(), b: fakeInference() });
    expect([seen, wrongs]).toEqual([[['AUDIT_DISPUTED', ['a']]], 0]);
    expect(disputes).toMatchObject([{ wrong: ['a'], right: { stateDigest: 99n } }]);
    expect(fakes.c.calls).toHaveLength(1);
  });

  it('always runs, and names the answering engine if the others refuse', async () => {
    fakes.c.behaviour = () => Promise.reject(refusal());
    await audited(build(0), { a: refusal(), b: fakeInference() });
    expect([seen, wrongs]).toEqual([[['AUDIT_DISPUTED', ['b']]], 1]);
  });

  it('needs more than half of all engines to name one', async () => {
    const others = ['d', 'e'].map((id) => new FakeEngine(id).up(fakeModel()));
    for (const other of others) pool.add(other);
    for (const other of [fakes.c, ...others]) other.behaviour = () => Promise.reject(refusal());
    await audited(build(0), { a: refusal(), b: fakeInference() });
    expect([seen, wrongs]).toEqual([[['AUDIT_DISPUTED', ['b']]], 1]);
  });

  it('names no engine if there are only two, and revokes the answer', async () => {
    fakes.c.down('killed');
    await audited(build(0), { a: refusal(), b: fakeInference() });
    expect([seen, wrongs]).toEqual([[['AUDIT_DISPUTED', []]], 1]);
    expect(disputes[0]).toMatchObject({ wrong: [], right: undefined });
    expect(disputes[0]!.ballots.map(({ outcome }) => outcome)).toEqual(['DISSENTED', 'DISSENTED']);
  });

  it('also decides between two different refusals', async () => {
    fakes.c.behaviour = () => Promise.reject(refusal('4'));
    await audited(build(0), { a: refusal('3'), b: refusal('4') });
    expect(disputes).toMatchObject([{ wrong: ['a'], right: undefined }]);
  });

  it('compares only the existing claims if four audits are running', async () => {
    fakes.c.behaviour = () => new Promise(() => undefined);
    const audit = build(0);
    for (let n = 0; n < 6; n += 1) await audited(audit, { a: refusal(), b: fakeInference() });
    expect(fakes.c.calls).toHaveLength(4);
    expect(seen).toEqual(Array(2).fill(['AUDIT_DISPUTED', []]));
  });
});

describe('Audit of a vote without a clear majority', () => {
  it('asks the other engines, and can overrule two equal wrong ballots', async () => {
    for (const id of ['d', 'e']) pool.add(new FakeEngine(id).up(fakeModel()));
    const claims = [
      ...['a', 'b'].map((id) => ({ engine: pool.find(id), said: fakeInference({ stateDigest: 666n }), durationMs: 1 })),
      { engine: pool.find('c'), said: fakeInference(), durationMs: 1 },
    ];
    build(0).contradicted(claims, pool.engines, { input, strategy: 'REDUNDANT' }, () => (wrongs += 1), 3);
    await settle();
    expect([seen, wrongs]).toEqual([[['AUDIT_DISPUTED', ['a', 'b']]], 1]);
    expect(disputes).toMatchObject([{ wrong: ['a', 'b'], right: { stateDigest: 99n } }]);
  });

  it('names no engine if the remaining engines are too few for a majority', async () => {
    for (const id of ['d', 'e']) pool.add(new FakeEngine(id).up(fakeModel()));
    const { engines } = pool;
    for (const id of ['d', 'e']) pool.setDraining(pool.find(id), true);
    const claims = ['a', 'b', 'c'].map((id) => {
      return { engine: pool.find(id), said: fakeInference({ stateDigest: id === 'c' ? 99n : 666n }), durationMs: 1 };
    });
    build(0).contradicted(claims, engines, { input, strategy: 'REDUNDANT' }, () => (wrongs += 1), 3);
    await settle();
    expect([seen, wrongs]).toEqual([[['AUDIT_DISPUTED', []]], 1]);
  });
});

describe('Audit with a malformed answer', () => {
  it('reports a dispute and counts the engine as absent', async () => {
    const malformed = new RouterError('ENGINE_FAULT', 'short', { metadata: { malformed: 'too short' } });
    for (const id of ['b', 'c'] as const) fakes[id].behaviour = () => Promise.reject(malformed);
    await audited(build(1), { a: fakeInference() });
    expect(disputes.map(({ verdict, wrong }) => [verdict, ...wrong].join(' ')).sort()).toEqual([
      'MALFORMED b',
      'MALFORMED c',
    ]);
    expect([seen, wrongs]).toEqual([[], 0]);
  });
});

describe('Audit with a callback that throws', () => {
  const broken = (): never => {
    throw new Error('bug');
  };

  it.each<[string, Partial<AuditOptions>]>([
    ['onDispute', { onDispute: broken }],
    ['the observer', { observer: { ...silent, voted: broken } }],
  ])('reports an exception of %s and goes on', async (_name, over) => {
    const problems: unknown[] = [];
    const audit = build(1, { ...over, onProblem: (error) => problems.push(error) });
    for (let n = 0; n < 10; n += 1) await audited(audit, { a: fakeInference({ stateDigest: 666n }) });
    expect(problems).toHaveLength(10);
  });

  it('reports an exception of onWrong and goes on', async () => {
    const problems: unknown[] = [];
    const audit = build(1, { onProblem: (error) => problems.push(error) });
    for (let n = 0; n < 10; n += 1) {
      const claim = { engine: pool.find('a'), said: fakeInference({ stateDigest: 666n }), durationMs: 1 };
      audit.maybeAudit([claim], pool.engines, { input, strategy: 'ROUND_ROBIN' }, broken);
      await settle();
    }
    expect(problems).toHaveLength(10);
  });
});
