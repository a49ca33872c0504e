import { beforeEach, describe, expect, it } from '@jest/globals';
import { getEventListeners } from 'node:events';
import { FakeClock } from '../../test/fakes/fake-clock.ts';
import { RouterError } from '../core/errors.ts';
import { Admission, type AdmissionOptions } from './admission.ts';

const MODEL = {};
const OTHER = {};

let clock: FakeClock;
let admission: Admission;
let slots: number;
let log: string[];

function start(options: Partial<AdmissionOptions> = {}): void {
  clock = new FakeClock();
  admission = new Admission({ maxQueue: 3, maxWaitMs: 1_000, ...options }, clock);
  slots = 0;
  log = [];
}

/** Like the router, takes a slot at once when it is admitted. */
function enter(
  name: string,
  over: { model?: object; deadlineMs?: number; signal?: AbortSignal; owner?: object } = {},
): void {
  const { model = MODEL, deadlineMs = Infinity, signal = new AbortController().signal, owner } = over;
  const goOn = (): void => {
    slots -= 1;
    log.push(name);
  };
  const refused = (thrown: unknown): void => void log.push(`${name}: ${RouterError.from(thrown).kind}`);
  try {
    const turn = admission.enter(model, () => slots, { deadlineMs: clock.now() + deadlineMs, signal, owner });
    if (turn === undefined) goOn();
    else turn.then(goOn, refused);
  } catch (thrown) {
    refused(thrown);
  }
}

/** Answers `count` requests, `gapMs` apart. */
async function answer(count = 1, { gapMs = 0, model = MODEL } = {}): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    clock.pass(gapMs);
    slots += 1;
    admission.leave(model, true);
    await new Promise(setImmediate);
  }
}

beforeEach(() => start());

describe('Admission', () => {
  it('admits a request at once while slots are free', () => {
    slots = 2;
    enter('a');
    enter('b');
    enter('c');
    expect([log, admission.waiting, clock.timers]).toEqual([['a', 'b'], 1, 1]);
  });

  it('admits waiting requests in order of arrival', async () => {
    for (const name of ['a', 'b', 'c']) enter(name);
    await answer(2);
    expect([log, admission.waiting]).toEqual([['a', 'b'], 1]);
  });

  it('does not admit a new request before one that waits', async () => {
    enter('a');
    slots = 1;
    enter('b');
    await answer(0);
    await answer();
    expect(log).toEqual(['a', 'b']);
  });

  it('admits no more requests than free slots if served twice at once', async () => {
    for (const name of ['a', 'b', 'c']) enter(name);
    slots = 2;
    admission.serve();
    admission.serve();
    await answer(0);
    await new Promise(setImmediate);
    expect([log, admission.waiting]).toEqual([['a', 'b'], 1]);
  });

  it('admits a request of another model while the first model’s engines are full', async () => {
    const full = new AbortController();
    void admission.enter(MODEL, () => 0, { deadlineMs: Infinity, signal: full.signal })?.catch(() => undefined);
    enter('b', { model: OTHER });
    await answer(1, { model: OTHER });
    expect([log, admission.waiting]).toEqual([['b'], 1]);
  });

  it('refuses at once with a retry hint if the queue is full', () => {
    for (const name of ['a', 'b', 'c']) enter(name);
    const context = { deadlineMs: Infinity, signal: new AbortController().signal };
    let thrown: unknown;
    try {
      void admission.enter(MODEL, () => 0, context);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ kind: 'ROUTER_FULL', retryAfterMs: expect.any(Number) });
    expect(RouterError.from(thrown).retryAfterMs).toBeGreaterThanOrEqual(10);
  });

  it('removes an expired request before it refuses a new one', async () => {
    enter('a');
    enter('b', { deadlineMs: 20 });
    enter('c');
    clock.stall(30);
    enter('d');
    await answer(3);
    expect(log).toEqual(['b: DEADLINE_EXCEEDED', 'a', 'c', 'd']);
  });

  it('fails an expired request at its turn and admits the next one', async () => {
    enter('a', { deadlineMs: 20 });
    enter('b');
    clock.stall(20); // its timer is late
    slots = 1;
    admission.serve();
    await new Promise(setImmediate);
    expect(log.toSorted()).toEqual(['a: DEADLINE_EXCEEDED', 'b']);
  });

  it('ends a wait at the deadline or after maxWaitMs', async () => {
    enter('a', { deadlineMs: 300 });
    enter('b');
    clock.pass(300);
    await answer(0);
    clock.pass(700);
    await new Promise(setImmediate);
    expect([log, admission.waiting]).toEqual([['a: DEADLINE_EXCEEDED', 'b: ROUTER_FULL'], 0]);
  });

  it('refuses a request at once if its expected wait exceeds maxWaitMs', async () => {
    start({ maxQueue: 100 });
    for (let n = 0; n < 12; n += 1) enter(`${n}`);
    await answer(10, { gapMs: 90 });
    for (let n = 12; n < 24; n += 1) enter(`${n}`);
    // Two still wait. At 90 ms each, the eleventh would wait 990 ms: too close to the limit of 1,000 ms for an estimate.
    expect(log.filter((line) => line.includes('ROUTER_FULL'))).toHaveLength(4);
    expect(admission.waiting).toBe(10);
  });

  it('refuses at once if the deadline is too early, counting requests in flight', async () => {
    start({ maxQueue: 100 });
    slots = 4;
    for (let n = 0; n < 8; n += 1) enter(`${n}`);
    await answer(3, { gapMs: 50 });
    enter('hurried', { deadlineMs: 200 });
    enter('patient', { deadlineMs: 5_000 });
    await answer(3, { gapMs: 50 });
    expect(log).toContain('hurried: ROUTER_FULL');
    expect(log).toContain('patient');
  });

  it('refuses a request at its turn if its deadline is now too early', async () => {
    start({ maxQueue: 100 });
    slots = 2;
    for (let n = 0; n < 6; n += 1) enter(`${n}`);
    await answer(4, { gapMs: 100 }); // one other is in flight with each: about 100 ms each
    enter('hurried', { deadlineMs: 260 });
    enter('patient');
    clock.stall(200);
    await answer(2);
    expect(log).toContain('hurried: ROUTER_FULL');
    expect(log.at(-1)).toBe('patient');
  });

  it('does not count requests that end without an answer in its estimate', async () => {
    start({ maxQueue: 100 });
    slots = 12;
    for (let n = 0; n < 14; n += 1) enter(`${n}`);
    await answer(2, { gapMs: 450 });
    for (let n = 0; n < 10; n += 1) admission.leave(MODEL, false);
    for (const name of ['a', 'b', 'c', 'd', 'e']) enter(name);
    expect(log.at(-1)).toBe('e: ROUTER_FULL'); // the fifth, at about 300 ms each
  });

  it('does not refuse a burst before it has an estimate', () => {
    start({ maxQueue: 1_000 });
    slots = 64;
    for (let n = 0; n < 564; n += 1) enter(`${n}`);
    clock.pass(10);
    for (let n = 564; n < 864; n += 1) enter(`${n}`);
    expect(admission.waiting).toBe(800);
  });

  it('does not estimate its throughput from the first answer of a burst', async () => {
    start({ maxQueue: 1_000 });
    slots = 90;
    for (let n = 0; n < 92; n += 1) enter(`${n}`, { deadlineMs: 10_000 });
    await answer(1, { gapMs: 300 });
    enter('late', { deadlineMs: 10_000 });
    expect(log).not.toContain('late: ROUTER_FULL');
    expect(log.filter((line) => line.includes('ROUTER_FULL'))).toEqual([]);
  });

  it('keeps a queue short that has been full for long', async () => {
    start({ maxQueue: 1_000 });
    for (let n = 0; n < 50; n += 1) enter(`${n}`);
    const longest = admission.waiting;
    for (let n = 50; n < 350; n += 1) {
      enter(`${n}`);
      await answer(1, { gapMs: 10 });
    }
    // At most a tenth of maxWaitMs: 100 ms at 10 ms each.
    expect(longest).toBe(50);
    expect(admission.waiting).toBeLessThanOrEqual(10);
    expect(admission.waiting).toBeGreaterThan(0);
  });

  it.each([
    ['alone', () => enter('goes on')],
    ['in a group', () => (slots -= admission.enterUpTo(MODEL, () => slots, 1))],
  ])('forgets slow engines after slots have been free for long, if the last request came %s', async (_, goOn) => {
    start({ maxQueue: 100 });
    for (let n = 0; n < 4; n += 1) enter(`${n}`);
    await answer(4, { gapMs: 240 });
    slots = 1;
    goOn();
    expect(slots).toBe(0);
    clock.pass(10_000);
    for (let n = 0; n < 20; n += 1) enter(`later ${n}`);
    expect(admission.waiting).toBe(20);
  });

  it('removes a caller that leaves, with its timers and listeners', async () => {
    const caller = new AbortController();
    enter('a', { signal: caller.signal });
    enter('b', { signal: caller.signal });
    await answer();
    caller.abort(new RouterError('CANCELLED', 'left'));
    await new Promise(setImmediate);
    expect([log, admission.waiting, clock.timers]).toEqual([['a', 'b: CANCELLED'], 0, 0]);
    expect(getEventListeners(caller.signal, 'abort')).toEqual([]);
  });

  it('does not queue a request that is cancelled or expired', () => {
    enter('a', { signal: AbortSignal.abort(new RouterError('CANCELLED', 'left')) });
    enter('b', { deadlineMs: 0 });
    expect([log, admission.waiting]).toEqual([['a: CANCELLED', 'b: DEADLINE_EXCEEDED'], 0]);
  });
});

describe('Admission.waitForRoom', () => {
  const engine = (availableSlots = 0): { availableSlots: number; isAvailable: boolean } => ({
    availableSlots,
    isAvailable: true,
  });
  const wait = (
    name: string,
    engines: readonly { availableSlots: number; isAvailable: boolean }[],
    deadlineMs = Infinity,
  ): (() => void) =>
    admission.waitForRoom(engines, clock.now() + deadlineMs, (isWorthwhile) => {
      log.push(`${name}: ${isWorthwhile}`);
      if (isWorthwhile) engines.find(({ availableSlots }) => availableSlots > 0)!.availableSlots -= 1;
    });

  it('calls back when one of the engines has a free slot', () => {
    const engines = [engine(), engine()];
    wait('a', engines);
    admission.serve();
    engines[1]!.availableSlots = 1;
    admission.serve();
    expect([log, clock.timers]).toEqual([['a: true'], 0]);
  });

  it('calls back in order, and only as often as slots are free', () => {
    const only = engine();
    for (const name of ['a', 'b', 'c']) wait(name, [only]);
    only.availableSlots = 2;
    admission.serve();
    expect(log).toEqual(['a: true', 'b: true']);
  });

  it('serves votes before waiting requests', async () => {
    const only = engine();
    enter('single');
    admission.waitForRoom([only], Infinity, () => {
      log.push('vote');
      slots -= 1;
    });
    only.availableSlots = 1;
    await answer();
    expect(log).toEqual(['vote']);
  });

  it('does not delay a request that waits for another engine', async () => {
    wait('vote', [engine()]);
    enter('single');
    await answer();
    expect(log).toEqual(['single']);
  });

  it('gives a slot that it does not need to the next request', async () => {
    const letIn = admission.enter(MODEL, () => slots, { deadlineMs: Infinity, signal: new AbortController().signal })!;
    const waiting = letIn.then(() => wait('vote', [engine()]));
    enter('single');
    slots = 1;
    admission.serve();
    await waiting;
    await Promise.resolve();
    await Promise.resolve();
    expect(log).toEqual(['single']);
  });

  it('calls back at once if the engine becomes unavailable', () => {
    const gone = engine();
    admission.waitForRoom([gone], Infinity, (isWorthwhile) => log.push(`a: ${isWorthwhile}`));
    gone.isAvailable = false;
    admission.serve();
    expect(log).toEqual(['a: true']);
  });

  it('waits at most maxWaitMs and at most half of the time left', () => {
    wait('patient', [engine()]);
    wait('hurried', [engine()], 400);
    clock.pass(200);
    expect(log).toEqual(['hurried: false']);
    clock.pass(800);
    expect([log, clock.timers]).toEqual([['hurried: false', 'patient: false'], 0]);
  });

  it('waits a tenth of maxWaitMs if the engine had no slot for that long', () => {
    const stuck = engine();
    wait('first', [stuck]);
    clock.pass(999);
    wait('second', [stuck]);
    clock.pass(2);
    wait('third', [stuck]);
    clock.pass(100);
    expect(log).toEqual(['first: false', 'third: false']);
  });

  it('does not call back after it was cancelled', () => {
    const only = engine();
    wait('a', [only])();
    only.availableSlots = 1;
    admission.serve();
    clock.pass(1_000);
    expect([log, clock.timers]).toEqual([[], 0]);
  });
});

describe('a queue that one caller has filled', () => {
  it('admits another caller after the first request of that caller', async () => {
    start({ maxQueue: 3, maxWaitMs: 100_000 });
    const [flood, other] = [{}, {}];
    for (const name of ['flood 1', 'flood 2', 'flood 3']) enter(name, { owner: flood });
    enter('flood 4', { owner: flood });
    enter('other', { owner: other });
    slots = 2;
    admission.serve();
    await new Promise(setImmediate);
    expect(log).toEqual(['flood 4: ROUTER_FULL', 'flood 3: ROUTER_FULL', 'flood 1', 'other']);
  });
});
