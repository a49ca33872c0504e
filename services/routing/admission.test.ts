import { beforeEach, describe, expect, it } from '@jest/globals';
import { getEventListeners } from 'node:events';
import { RouterError } from '../core/errors.ts';
import { Admission, type AdmissionOptions, freeSlots } from './admission.ts';

const MODEL = {};
const OTHER = {};

/** Timers run when `pass` comes to them. */
class FakeClock {
  #nowMs = 5_000;
  #timers = new Set<{ atMs: number; run: () => void }>();

  now = (): number => this.#nowMs;

  after = (ms: number, run: () => void): (() => void) => {
    const timer = { atMs: this.#nowMs + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  get timers(): number {
    return this.#timers.size;
  }

  /** As when the event loop is busy: time passes, and no timer runs. */
  stall(ms: number): void {
    this.#nowMs += ms;
  }

  pass(ms: number): void {
    this.stall(ms);
    for (const timer of this.#timers) {
      if (timer.atMs > this.#nowMs) continue;
      this.#timers.delete(timer);
      timer.run();
    }
  }
}

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

/** Like the router, a request takes its place in the moment in which it may. */
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

/** `count` requests are answered, `gapMs` after each other. */
async function answer(count = 1, { gapMs = 0, model = MODEL } = {}): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    clock.pass(gapMs);
    slots += 1;
    admission.leave(model, true);
    await new Promise(setImmediate);
  }
}

beforeEach(() => start());

describe('admission', () => {
  it('lets a request go on at once while there is room', () => {
    slots = 2;
    enter('a');
    enter('b');
    enter('c');
    expect([log, admission.waiting, clock.timers]).toEqual([['a', 'b'], 1, 1]);
  });

  it('lets them wait their turn, first come, first served', async () => {
    for (const name of ['a', 'b', 'c']) enter(name);
    await answer(2);
    expect([log, admission.waiting]).toEqual([['a', 'b'], 1]);
  });

  it('lets no new request pass those that wait', async () => {
    enter('a');
    slots = 1;
    enter('b');
    await answer(0);
    await answer();
    expect(log).toEqual(['a', 'b']);
  });

  it('lets no more in than there is room for, though all hear of it in the same moment', async () => {
    for (const name of ['a', 'b', 'c']) enter(name);
    slots = 2;
    admission.serve();
    admission.serve();
    await answer(0);
    await new Promise(setImmediate);
    expect([log, admission.waiting]).toEqual([['a', 'b'], 1]);
  });

  it('lets a model pass another whose engines are full, and serves both in turn', async () => {
    const full = new AbortController();
    void admission.enter(MODEL, () => 0, { deadlineMs: Infinity, signal: full.signal })?.catch(() => undefined);
    enter('b', { model: OTHER });
    await answer(1, { model: OTHER });
    expect([log, admission.waiting]).toEqual([['b'], 1]);
  });

  it('refuses at once when the queue is full, with a hint', () => {
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

  it('throws out who is past the deadline before it refuses a newcomer', async () => {
    enter('a');
    enter('b', { deadlineMs: 20 });
    enter('c');
    clock.stall(30);
    enter('d');
    await answer(3);
    expect(log).toEqual(['b: DEADLINE_EXCEEDED', 'a', 'c', 'd']);
  });

  it('drops who is past the deadline when its turn comes, and lets the next one in', async () => {
    enter('a', { deadlineMs: 20 });
    enter('b');
    clock.stall(30);
    await answer();
    expect(log.toSorted()).toEqual(['a: DEADLINE_EXCEEDED', 'b']);
  });

  it('ends the waiting at the deadline, or after the longest wait', async () => {
    enter('a', { deadlineMs: 300 });
    enter('b');
    clock.pass(300);
    await answer(0);
    clock.pass(700);
    await new Promise(setImmediate);
    expect([log, admission.waiting]).toEqual([['a: DEADLINE_EXCEEDED', 'b: ROUTER_FULL'], 0]);
  });

  it('refuses at once who would have to wait longer than anybody may', async () => {
    start({ maxQueue: 100 });
    for (let n = 0; n < 12; n += 1) enter(`${n}`);
    await answer(10, { gapMs: 90 });
    for (let n = 12; n < 24; n += 1) enter(`${n}`);
    // Two were left. At 90 ms each, an eleventh in the queue might wait 1,000 ms: too long if the estimate is a bit off.
    expect(log.filter((line) => line.includes('ROUTER_FULL'))).toHaveLength(4);
    expect(admission.waiting).toBe(10);
  });

  it('refuses at once who could not be answered in time, counting those inside', async () => {
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

  it('refuses at its turn who could not be answered in time any more, and lets the next one in', async () => {
    start({ maxQueue: 100 });
    slots = 2;
    for (let n = 0; n < 6; n += 1) enter(`${n}`);
    await answer(4, { gapMs: 100 }); // one is inside with each that comes: about 100 ms each
    enter('hurried', { deadlineMs: 260 });
    enter('patient');
    clock.stall(200);
    await answer(2);
    expect(log).toContain('hurried: ROUTER_FULL');
    expect(log.at(-1)).toBe('patient');
  });

  it('does not refuse a burst for want of knowledge', () => {
    start({ maxQueue: 1_000 });
    slots = 64;
    for (let n = 0; n < 564; n += 1) enter(`${n}`);
    clock.pass(10);
    for (let n = 564; n < 864; n += 1) enter(`${n}`);
    expect(admission.waiting).toBe(800);
  });

  it('does not take the first answer of a burst for its pace', async () => {
    start({ maxQueue: 1_000 });
    slots = 90;
    for (let n = 0; n < 92; n += 1) enter(`${n}`, { deadlineMs: 10_000 });
    await answer(1, { gapMs: 300 });
    enter('late', { deadlineMs: 10_000 });
    expect(log).not.toContain('late: ROUTER_FULL');
    expect(log.filter((line) => line.includes('ROUTER_FULL'))).toEqual([]);
  });

  it('keeps a line that has stood long short', async () => {
    start({ maxQueue: 1_000 });
    for (let n = 0; n < 50; n += 1) enter(`${n}`);
    const longest = admission.waiting;
    for (let n = 50; n < 350; n += 1) {
      enter(`${n}`);
      await answer(1, { gapMs: 10 });
    }
    // A tenth of the wait: 100 ms at 10 ms each, less what estimates err.
    expect(longest).toBe(50);
    expect(admission.waiting).toBeLessThanOrEqual(10);
    expect(admission.waiting).toBeGreaterThan(0);
  });

  it('forgets how slow the engines were when there has been room for long', async () => {
    start({ maxQueue: 100 });
    for (let n = 0; n < 4; n += 1) enter(`${n}`);
    await answer(4, { gapMs: 240 });
    slots = 1;
    enter('goes on');
    clock.pass(20_000);
    for (let n = 0; n < 20; n += 1) enter(`later ${n}`);
    expect(admission.waiting).toBe(20);
  });

  it('lets callers leave, and keeps nothing of them', async () => {
    const caller = new AbortController();
    enter('a', { signal: caller.signal });
    enter('b', { signal: caller.signal });
    await answer();
    caller.abort(new RouterError('CANCELLED', 'left'));
    await new Promise(setImmediate);
    expect([log, admission.waiting, clock.timers]).toEqual([['a', 'b: CANCELLED'], 0, 0]);
    expect(getEventListeners(caller.signal, 'abort')).toEqual([]);
  });

  it('does not let those line up who have left already', () => {
    enter('a', { signal: AbortSignal.abort(new RouterError('CANCELLED', 'left')) });
    enter('b', { deadlineMs: 0 });
    expect([log, admission.waiting]).toEqual([['a: CANCELLED', 'b: DEADLINE_EXCEEDED'], 0]);
  });
});

describe('a vote that wants engines without room', () => {
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

  it('hears when one of them has room, and keeps nothing', () => {
    const engines = [engine(), engine()];
    wait('a', engines);
    admission.serve();
    engines[1]!.availableSlots = 1;
    admission.serve();
    expect([log, clock.timers]).toEqual([['a: true'], 0]);
  });

  it('is served in its turn, and no more ballots than there is room for', () => {
    const only = engine();
    for (const name of ['a', 'b', 'c']) wait(name, [only]);
    only.availableSlots = 2;
    admission.serve();
    expect(log).toEqual(['a: true', 'b: true']);
  });

  it('goes before the requests that wait', async () => {
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

  it('holds up no request that waits for another engine', async () => {
    wait('vote', [engine()]);
    enter('single');
    await answer();
    expect(log).toEqual(['single']);
  });

  it('leaves room that it does not want to the next request', async () => {
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

  it('hears at once when the engine may not be asked any more', () => {
    const gone = engine();
    admission.waitForRoom([gone], Infinity, (isWorthwhile) => log.push(`a: ${isWorthwhile}`));
    gone.isAvailable = false;
    admission.serve();
    expect(log).toEqual(['a: true']);
  });

  it('waits as long as a request may, but leaves half of its time for what can be decided without', () => {
    wait('patient', [engine()]);
    wait('hurried', [engine()], 400);
    clock.pass(200);
    expect(log).toEqual(['hurried: false']);
    clock.pass(800);
    expect([log, clock.timers]).toEqual([['hurried: false', 'patient: false'], 0]);
  });

  it('waits a tenth of that for an engine that others have waited for without end', () => {
    const stuck = engine();
    wait('first', [stuck]);
    clock.pass(999);
    wait('second', [stuck]);
    clock.pass(2);
    wait('third', [stuck]);
    clock.pass(100);
    expect(log).toEqual(['first: false', 'third: false']);
  });

  it('need not wait any longer', () => {
    const only = engine();
    wait('a', [only])();
    only.availableSlots = 1;
    admission.serve();
    clock.pass(1_000);
    expect([log, clock.timers]).toEqual([[], 0]);
  });
});

describe('free places', () => {
  const engine = (availableSlots: number, isAvailable = true): { availableSlots: number; isAvailable: boolean } => ({
    availableSlots,
    isAvailable,
  });

  it('are those of all engines that may be asked', () => {
    expect(freeSlots([engine(2), engine(3), engine(9, false)])).toBe(5);
  });

  it('are not fewer because one engine has more than it works off', () => {
    expect([freeSlots([engine(1), engine(-2)]), freeSlots([engine(0), engine(-2)])]).toEqual([1, 0]);
  });

  it('have no end where no engine may be asked: waiting would not help', () => {
    expect([freeSlots([engine(5, false)]), freeSlots([])]).toEqual([Infinity, Infinity]);
  });
});

describe('a queue that one caller has filled', () => {
  it('has room for another caller, whose turn comes after the first of the flood', async () => {
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
