import { beforeEach, describe, expect, it } from '@jest/globals';
import { SESSION_MODEL, SESSION_STATE, openSession, sessionRequest } from '../../test/fakes/open-session.ts';
import { sessionLimits } from '../../test/fakes/router-parts.ts';
import { Cancel } from '../core/cancel.ts';
import { RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';
import type { Ending } from './options.ts';
import type { Session } from './session.ts';
import { SessionStore } from './session-store.ts';

let nowMs: number;
let sweep: () => void;
let ended: [string, Ending][];

beforeEach(() => {
  nowMs = 0;
  ended = [];
});

const anyTime = (): CallContext => ({ deadlineMs: Infinity, signal: new Cancel() });

function storeOf(over: Parameters<typeof sessionLimits>[0] = {}): SessionStore {
  const clock = {
    now: () => nowMs,
    every: (_ms: number, run: () => void) => {
      sweep = run;
      return () => undefined;
    },
  };
  const events = { ended: ({ id }: Session, why: Ending) => void ended.push([id, why]), refused: () => undefined };
  return new SessionStore(sessionLimits(over), events, clock);
}

function kindOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof RouterError) return error.kind;
    throw error;
  }
  return 'OK';
}

describe('a session', () => {
  it('is the same for the same caller and id', () => {
    const store = storeOf();
    expect(openSession(store, 'a', 'x')).toBe(openSession(store, 'a', 'x'));
    expect(store.stats).toMatchObject({ open: 1, opened: 1 });
  });

  it('is different for another caller', () => {
    const store = storeOf();
    expect(openSession(store, 'a', 'x')).not.toBe(openSession(store, 'a', 'y'));
    expect(store.stats.open).toBe(2);
  });

  it('is removed if its first message fails', () => {
    const store = storeOf();
    const session = store.enter(sessionRequest('a'));
    void store.takeTurn(session, anyTime());
    store.leave(session);
    expect([store.stats.open, store.stats.bytes, store.find('', 'a')]).toEqual([0, 0, undefined]);
  });

  it('keeps a copy of its state', () => {
    const state = Buffer.from(SESSION_STATE);
    const session = openSession(storeOf(), 'a', '', state);
    state.fill(0);
    expect(Buffer.from(session.state)).toEqual(SESSION_STATE);
  });

  it('expires after idleMs without a message', () => {
    const store = storeOf({ idleMs: 1_000 });
    openSession(store, 'a');
    nowMs = 600;
    openSession(store, 'b');
    nowMs = 1_000;
    sweep();
    expect([store.find('', 'a'), store.find('', 'b')?.id, ended]).toEqual([undefined, 'b', [['a', 'EXPIRED']]]);
  });

  it('has expired for a late message before the next sweep', () => {
    const store = storeOf({ idleMs: 1_000 });
    const session = openSession(store, 'a');
    nowMs = 1_000;
    expect(store.enter(sessionRequest('a'))).not.toBe(session);
    expect(ended).toEqual([['a', 'EXPIRED']]);
  });

  it('does not expire while a message is computed', () => {
    const store = storeOf({ idleMs: 1_000 });
    const session = openSession(store, 'a');
    void store.takeTurn(session, anyTime());
    nowMs = 5_000;
    sweep();
    expect(store.find('', 'a')).toBe(session);
  });

  it('ignores an answer after it was ended', () => {
    const store = storeOf();
    const session = openSession(store, 'a');
    store.end(session, 'OPERATOR');
    store.commit(session, SESSION_MODEL, {
      steps: 99,
      state: SESSION_STATE,
      input: SESSION_STATE,
      inputSteps: 0,
      engineId: 'e2',
      spikeCounts: [],
    });
    expect([session.step, store.stats.bytes, store.stats.ended.OPERATOR]).toEqual([16, 0, 1]);
  });
});

describe('the limits of sessions', () => {
  it('refuse a session above max, with the time until one expires', () => {
    const store = storeOf({ max: 2, idleMs: 60_000 });
    openSession(store, 'a');
    nowMs = 10_000;
    openSession(store, 'b');
    expect(() => store.enter(sessionRequest('c'))).toThrow(
      expect.objectContaining({ kind: 'SESSION_LIMIT', retryAfterMs: 50_000 }),
    );
    expect(store.stats.refused).toBe(1);
  });

  it('allow messages of an open session at max', () => {
    const store = storeOf({ max: 1 });
    openSession(store, 'a');
    expect(kindOf(() => openSession(store, 'a'))).toBe('OK');
  });

  it('apply to each named caller', () => {
    const store = storeOf({ maxPerCaller: 1 });
    openSession(store, 'a', 'x');
    openSession(store, 'a', 'y');
    expect(kindOf(() => store.enter(sessionRequest('b', 'x')))).toBe('SESSION_LIMIT');
  });

  it('do not apply to callers without a name', () => {
    const store = storeOf({ maxPerCaller: 1 });
    openSession(store, 'a');
    expect(kindOf(() => openSession(store, 'b'))).toBe('OK');
  });

  it('allow a new session after one has ended', () => {
    const store = storeOf({ max: 1, maxPerCaller: 1 });
    store.end(openSession(store, 'a', 'x'), 'CLOSED');
    expect(kindOf(() => openSession(store, 'b', 'x'))).toBe('OK');
  });

  it('refuse a session whose state exceeds maxBytes, and keep nothing of it', () => {
    const store = storeOf({ maxBytes: 10_000 });
    openSession(store, 'a');
    const { bytes } = store.stats;
    expect(kindOf(() => openSession(store, 'b', '', new Uint8Array(9_000)))).toBe('SESSION_LIMIT');
    expect([store.stats.bytes, store.stats.open]).toEqual([bytes, 1]);
  });

  it('leave half of maxBytes to other callers', () => {
    const store = storeOf({ maxBytes: 20_000 });
    openSession(store, 'a', 'flood', new Uint8Array(8_000));
    expect(kindOf(() => openSession(store, 'b', 'flood', new Uint8Array(4_000)))).toBe('SESSION_LIMIT');
    expect(kindOf(() => openSession(store, 'b', 'other', new Uint8Array(4_000)))).toBe('OK');
  });

  it('return the memory of a session that ended to its caller', () => {
    const store = storeOf({ maxBytes: 20_000 });
    store.end(openSession(store, 'a', 'x', new Uint8Array(8_000)), 'CLOSED');
    expect(kindOf(() => openSession(store, 'b', 'x', new Uint8Array(8_000)))).toBe('OK');
  });

  it('refuse a message if maxWaiting messages wait', async () => {
    const store = storeOf({ maxWaiting: 1 });
    const session = openSession(store, 'a');
    void store.takeTurn(session, anyTime());
    const second = store.takeTurn(session, anyTime());
    expect(kindOf(() => store.takeTurn(session, anyTime()))).toBe('SESSION_LIMIT');
    store.leave(session);
    await second;
    expect(store.stats.waiting).toBe(0);
  });

  it('refuse a message if maxWaitingInAll messages wait in all sessions', () => {
    const store = storeOf({ maxWaitingInAll: 1 });
    const [a, b] = [openSession(store, 'a'), openSession(store, 'b')];
    for (const session of [a, a, b]) void store.takeTurn(session, anyTime());
    expect(kindOf(() => store.takeTurn(b, anyTime()))).toBe('SESSION_LIMIT');
  });

  it('store no inputs if memory is short', () => {
    const store = storeOf({ maxBytes: 10_000 });
    openSession(store, 'a');
    expect([store.hasRoomForInputs(100), store.hasRoomForInputs(10_000)]).toEqual([true, false]);
  });
});

describe('SessionStore.list', () => {
  it('returns pages, newest session first', () => {
    const store = storeOf();
    for (const id of ['a', 'b', 'c']) openSession(store, id);
    openSession(store, 'a');
    const first = store.list(2);
    expect(first.map(({ id }) => id)).toEqual(['c', 'b']);
    expect(store.list(2, first[1]!.serial).map(({ id }) => id)).toEqual(['a']);
  });

  it('omits sessions without an answered message', () => {
    const store = storeOf();
    store.enter(sessionRequest('a'));
    expect(store.list(10)).toEqual([]);
  });
});

it('SessionStore counts the bytes of sessions exactly', () => {
  const store = storeOf({ idleMs: 1_000, max: 5 });
  let seed = 17;
  const random = (n: number): number => (seed = (seed * 48_271) % 2_147_483_647) % n;
  for (let k = 0; k < 2_000; k += 1) {
    nowMs += random(200);
    const id = `s${random(8)}`;
    const session = store.find('', id);
    const act = random(4);
    if (act === 0 && session !== undefined) store.end(session, 'CLOSED');
    else if (act === 1 && session !== undefined) {
      void store.takeTurn(session, anyTime());
      const step = { steps: session.step + 1, state: undefined, input: new Uint8Array(random(50)), inputSteps: 1 };
      store.commit(session, SESSION_MODEL, { ...step, engineId: `e${random(3)}`, spikeCounts: [] });
      store.leave(session);
    } else kindOf(() => openSession(store, id));
    const listed = store.list(100);
    expect(store.stats.bytes).toBe(listed.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(store.stats.open).toBe(listed.length);
  }
});
