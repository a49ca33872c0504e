// Which requests wait and which are refused, at the exact limits, and when the refused ones may try again.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../test/fakes/fake-clock.ts';
import { RouterError } from '../core/errors.ts';
import { Admission, type AdmissionOptions } from './admission.ts';

const MODEL = {};

let clock: FakeClock;
let admission: Admission;
let slots: number;
let ended: (string | RouterError)[];

function start(options: Partial<AdmissionOptions> = {}): void {
  clock = new FakeClock();
  admission = new Admission({ maxQueue: 3, maxWaitMs: 1_000, ...options }, clock);
  slots = 0;
  ended = [];
}

function enter(name: string, waitsMs = Infinity, owner?: object): void {
  const admitted = (): void => {
    slots -= 1;
    ended.push(name);
  };
  try {
    const context = { deadlineMs: clock.now() + waitsMs, signal: new AbortController().signal, owner };
    const turn = admission.enter(MODEL, () => slots, context);
    if (turn === undefined) admitted();
    else turn.then(admitted, (error: unknown) => ended.push(RouterError.from(error)));
  } catch (error) {
    ended.push(RouterError.from(error));
  }
}

/** Runs the promises of requests that have ended. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The last end: a name, or the kind of an error and its `retryAfterMs`. */
async function last(): Promise<unknown> {
  await settle();
  const end = ended.at(-1);
  return end instanceof RouterError ? [end.kind, end.retryAfterMs] : end;
}

/** One request is under way, and another waits. */
function startWaiting(options: Partial<AdmissionOptions> = {}, waitsMs = Infinity): void {
  start(options);
  slots = 1;
  enter('under way');
  enter('first', waitsMs);
}

beforeEach(() => start());

describe('a request that waits', () => {
  it('is admitted when a new one comes and there is a slot', async () => {
    enter('first');
    slots = 1;
    enter('second');
    expect([await last(), admission.waiting]).toEqual(['first', 1]);
  });

  it('is admitted at its turn if an answer takes exactly the time it has left', async () => {
    startWaiting({}, 100);
    clock.stall(50);
    slots = 1;
    admission.serve();
    expect(await last()).toBe('first');
  });

  it('is refused at its turn if an answer takes longer, with the time of the queue', async () => {
    startWaiting({}, 100);
    clock.stall(51);
    slots = 1;
    admission.serve();
    expect(await last()).toEqual(['ROUTER_FULL', 51]);
    expect(ended.at(-1)).toMatchObject({
      message: expect.stringMatching(/an answer takes 51 ms, longer than you wait; try again in 51 ms/),
      lack: 'ENGINES',
    });
  });

  it.each([
    [1_000, 'DEADLINE_EXCEEDED'],
    [1_001, 'ROUTER_FULL'],
  ])('with a deadline in %d ms ends with %s after maxWaitMs', async (waitsMs, kind) => {
    enter('first', waitsMs);
    clock.pass(999);
    expect(await last()).toBeUndefined();
    clock.pass(1);
    await settle();
    expect(ended).toMatchObject([{ kind }]);
  });

  it('may try again after the time of the queue', async () => {
    enter('first');
    clock.pass(1_000);
    expect(await last()).toEqual(['ROUTER_FULL', 1_000]);
  });

  it('may try again after the time of all that wait', async () => {
    for (const name of ['first', 'second']) enter(name);
    clock.pass(1_000);
    await settle();
    expect(ended).toMatchObject([{ retryAfterMs: 2_000 }, { retryAfterMs: 1_000 }]);
  });
});

describe('an admitted request that waited', () => {
  it('counts as one under way', async () => {
    enter('first');
    slots = 1;
    admission.serve();
    expect(await last()).toBe('first');
    enter('second', 100);
    clock.stall(51);
    slots = 1;
    admission.serve();
    expect(await last()).toEqual(['ROUTER_FULL', 51]);
  });
});

describe('a new request', () => {
  it.each([
    [400, undefined],
    [401, ['ROUTER_FULL', 802]],
  ])('behind one that has waited for %d ms: %j', async (waitedMs, refused) => {
    startWaiting();
    ended = [];
    clock.stall(waitedMs);
    enter('second');
    expect(await last()).toEqual(refused);
  });

  it.each([
    [300, undefined],
    [299, ['ROUTER_FULL', 160]],
  ])('that has %d ms, if an answer takes 240 ms: %j', async (waitsMs, refused) => {
    startWaiting();
    ended = [];
    clock.stall(80);
    enter('second', waitsMs);
    expect(await last()).toEqual(refused);
  });

  it('is refused if as many wait as may, and may try again at its turn', async () => {
    start({ maxQueue: 2 });
    for (const name of ['first', 'second']) enter(name);
    clock.stall(100);
    enter('third');
    expect([await last(), admission.waiting]).toEqual([['ROUTER_FULL', 300], 2]);
    expect(ended.at(-1)).toMatchObject({ message: expect.stringMatching(/^2 requests are waiting for an engine/) });
  });

  it.each([
    [0, 10],
    [60_000, 30_000],
  ])('is told to wait at least 10 ms and at most 30 s, after %d ms', async (passedMs, retryAfterMs) => {
    start({ maxQueue: 1, maxWaitMs: 100_000 });
    enter('first');
    clock.stall(passedMs);
    enter('second');
    expect(await last()).toEqual(['ROUTER_FULL', retryAfterMs]);
  });

  it('takes the room of the last request of a caller with more, which may try again after the queue', async () => {
    start({ maxQueue: 2 });
    const flood = {};
    for (const name of ['first', 'second']) enter(name, Infinity, flood);
    clock.stall(100);
    enter('other', Infinity, {});
    expect([await last(), admission.waiting]).toEqual([['ROUTER_FULL', 200], 2]);
  });

  it('takes the room of a request whose deadline is now', async () => {
    start({ maxQueue: 1 });
    enter('first', 20);
    clock.stall(20);
    enter('second');
    await settle();
    expect(ended).toMatchObject([{ kind: 'DEADLINE_EXCEEDED' }]);
    expect(admission.waiting).toBe(1);
  });
});

describe('Admission.enterUpTo', () => {
  const some = (wanted: number): number => admission.enterUpTo(MODEL, () => slots, wanted);

  it('admits as many as there are slots, and no more than wanted', () => {
    slots = 3;
    expect([some(2), some(5)]).toEqual([2, 3]);
    slots = -1;
    expect(some(5)).toBe(0);
  });

  it('admits nobody before a request that waits', () => {
    enter('first');
    slots = 2;
    expect(some(2)).toBe(0);
  });

  it('leaves a slot to a request that was admitted and is not sent yet', () => {
    enter('first');
    slots = 2;
    admission.serve();
    expect(some(2)).toBe(1);
  });

  it('goes on to count answers if it admits none', async () => {
    startWaiting({ maxQueue: 1 });
    clock.stall(50);
    expect(some(1)).toBe(0);
    admission.leave(MODEL, true);
    clock.stall(50);
    enter('second');
    expect(await last()).toEqual(['ROUTER_FULL', 100]);
  });

  it('counts those that it admits as under way', async () => {
    slots = 2;
    expect(some(2)).toBe(2);
    slots = 0;
    enter('first', 100);
    clock.stall(51);
    slots = 1;
    admission.serve();
    expect(await last()).toEqual(['ROUTER_FULL', 26]);
    for (let n = 0; n < 2; n += 1) admission.leave(MODEL, false);
    slots = 0;
    enter('second', 100);
    clock.stall(51);
    slots = 1;
    admission.serve();
    expect(await last()).toBe('second');
  });
});

describe('Admission.configure', () => {
  it('applies to the next requests', async () => {
    admission.configure({ maxQueue: 1, maxWaitMs: 50 });
    enter('first');
    enter('second');
    await settle();
    expect(ended).toMatchObject([{ kind: 'ROUTER_FULL' }]);
    clock.pass(50);
    await settle();
    expect(ended[1]).toMatchObject({ message: expect.stringContaining('no engine had room for 50 ms') });
  });
});

describe('Admission.waitForRoom', () => {
  it.each([
    [1_000, ['first']],
    [1_001, ['first', 'second']],
  ])('behind one that has waited for %d ms, after another 100 ms, ends for %j', (stoodMs, names) => {
    const engine = { availableSlots: 0, isAvailable: true };
    const over: string[] = [];
    const wait = (name: string): unknown => admission.waitForRoom([engine], Infinity, () => over.push(name));
    wait('first');
    clock.stall(stoodMs);
    wait('second');
    clock.pass(100);
    expect(over).toEqual(names);
  });

  it('ends at half of the time that is left, and then calls nobody', () => {
    const engine = { availableSlots: 0, isAvailable: true };
    const ends: boolean[] = [];
    admission.waitForRoom([engine], clock.now() + 400, (isWorthwhile) => ends.push(isWorthwhile));
    clock.pass(199);
    expect(ends).toEqual([]);
    clock.pass(1);
    engine.availableSlots = 1;
    admission.serve();
    expect(ends).toEqual([false]);
  });
});
