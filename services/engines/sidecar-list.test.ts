import { describe, expect, it } from '@jest/globals';
import { FakeEngine, fakeModel, fakePins } from '../../test/fakes/fake-engine.ts';
import { EnginePool, MAX_ENGINES } from './pool.ts';
import { SidecarList } from './sidecar-list.ts';

const BREAKER = { failurePercent: 50, minRequests: 5, windowMs: 10_000, resetMs: 500 };

/** An engine that records its start and stop. */
class Noted extends FakeEngine {
  override readonly address: string;
  readonly #note: (what: string) => void;

  constructor(id: string, address: string, note: (what: string) => void) {
    super(id);
    this.address = address;
    this.#note = note;
  }

  override start(): Promise<void> {
    this.up(fakeModel());
    this.#note(`start ${this.id} ${this.address}`);
    return Promise.resolve();
  }

  override stop(): Promise<void> {
    this.#note(`stop ${this.id} ${this.address}`);
    return Promise.resolve();
  }
}

function setUp(): { pool: EnginePool; list: SidecarList; notes: string[]; ids: () => string[] } {
  const notes: string[] = [];
  const pool = new EnginePool(fakePins, BREAKER);
  const connect = (id: string, address: string): Noted => new Noted(id, address, (what) => notes.push(what));
  pool.add(new FakeEngine('local', 'local'));
  pool.add(connect('one', 'a:1'));
  const list = new SidecarList(pool, connect, [{ id: 'one', address: 'a:1' }]);
  return { pool, list, notes, ids: () => pool.engines.map(({ id }) => id) };
}

describe('SidecarList.replace', () => {
  it('starts a new engine before it stops an old one', async () => {
    const { list, notes, ids } = setUp();
    await list.replace([{ id: 'two', address: 'b:1' }]);
    expect([notes, ids()]).toEqual([
      ['start two b:1', 'stop one a:1'],
      ['local', 'two'],
    ]);
  });

  it('does not touch an engine that stays', async () => {
    const { list, notes } = setUp();
    await list.replace([{ id: 'one', address: 'a:1' }]);
    expect(notes).toEqual([]);
  });

  it('stops an engine first if its address changes', async () => {
    const { list, notes } = setUp();
    await list.replace([{ id: 'one', address: 'b:1' }]);
    expect(notes).toEqual(['stop one a:1', 'start one b:1']);
  });

  it('ignores an engine that an operator has removed', async () => {
    const { pool, list, notes, ids } = setUp();
    pool.remove('one');
    await list.replace([]);
    expect([notes, ids()]).toEqual([[], ['local']]);
  });

  it('ignores an engine that an operator has added again at another address', async () => {
    const { pool, list, notes, ids } = setUp();
    pool.remove('one');
    pool.add(new FakeEngine('one'));
    await list.replace([]);
    expect([notes, ids()]).toEqual([[], ['local', 'one']]);
  });

  it('compares with the list before, not with the first one', async () => {
    const { list, notes } = setUp();
    const two = { id: 'two', address: 'b:1' };
    await list.replace([two]);
    await list.replace([two, { id: 'one', address: 'a:1' }]);
    expect(notes).toEqual(['start two b:1', 'stop one a:1', 'start one a:1']);
  });

  it('accepts as many engines as the pool has room for, and no more', () => {
    const { list } = setUp();
    // Beside the local engine, and instead of the listed one.
    const sidecars = Array.from({ length: MAX_ENGINES }, (_, n) => ({ id: `new-${n}`, address: 'c:1' }));
    expect(() => list.check(sidecars.slice(1))).not.toThrow();
    expect(() => list.check(sidecars)).toThrow(`${MAX_ENGINES + 1} engines in all, ${MAX_ENGINES} are the most`);
  });

  it.each([
    ['an engine of another origin', [{ id: 'local', address: 'b:1' }]],
    [
      'another entry',
      [
        { id: 'two', address: 'b:1' },
        { id: 'two', address: 'c:1' },
      ],
    ],
  ])('changes nothing if an id is that of %s', async (_, next) => {
    const { list, notes, ids } = setUp();
    await expect(list.replace(next)).rejects.toThrow(/there is an engine "(local|two)" already/);
    expect([notes, ids()]).toEqual([[], ['local', 'one']]);
  });
});
