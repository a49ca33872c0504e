import { beforeEach, describe, expect, it } from '@jest/globals';
import { type HasCapacity, RoomQueue } from './room-queue.ts';

interface Engine extends HasCapacity {
  isAvailable: boolean;
  availableSlots: number;
}

const busy = (): Engine => ({ isAvailable: true, availableSlots: 0 });

let queue: RoomQueue;
let log: string[];

/** A ballot that takes a slot of `engine`. */
function wait(name: string, engines: readonly Engine[], nowMs = 0): () => void {
  return queue.wait(engines, nowMs, () => {
    log.push(name);
    const free = engines.find(({ availableSlots }) => availableSlots > 0);
    if (free !== undefined) free.availableSlots -= 1;
  });
}

beforeEach(() => {
  queue = new RoomQueue();
  log = [];
});

describe('RoomQueue.serve', () => {
  it('calls nobody while the engine has no free slot, or fewer than none', () => {
    const engine = busy();
    wait('a', [engine]);
    queue.serve();
    engine.availableSlots = -1;
    queue.serve();
    expect(log).toEqual([]);
  });

  it('calls one ballot for one slot', () => {
    const engine = busy();
    wait('a', [engine]);
    wait('b', [engine]);
    engine.availableSlots = 1;
    queue.serve();
    expect(log).toEqual(['a']);
  });

  it('calls a ballot that waits for several engines once', () => {
    const engines = [busy(), busy()];
    wait('a', engines);
    for (const engine of engines) engine.availableSlots = 2;
    queue.serve();
    queue.serve();
    expect(log).toEqual(['a']);
  });

  it('calls every ballot of an engine that is gone', () => {
    const engine = busy();
    for (const name of ['a', 'b']) wait(name, [engine]);
    engine.isAvailable = false;
    queue.serve();
    expect(log).toEqual(['a', 'b']);
  });

  it('calls no ballot whose wait was ended', () => {
    const engine = busy();
    const stop = wait('a', [engine]);
    wait('b', [engine]);
    stop();
    stop();
    engine.availableSlots = 2;
    queue.serve();
    expect(log).toEqual(['b']);
  });
});

describe('RoomQueue.stoodMs', () => {
  it('is 0 while nobody waits', () => {
    expect(queue.stoodMs([busy()], 500)).toBe(0);
  });

  it('is the time since the first of the waiting ballots came', () => {
    const engine = busy();
    const stop = wait('a', [engine], 100);
    wait('b', [engine], 300);
    stop();
    expect(queue.stoodMs([engine], 500)).toBe(400);
  });

  it('starts again after the last ballot has left', () => {
    const engine = busy();
    wait('a', [engine], 100)();
    wait('b', [engine], 300);
    expect(queue.stoodMs([engine], 500)).toBe(200);
  });

  it('is that of the engine with the shortest wait', () => {
    const [first, second, idle] = [busy(), busy(), busy()];
    wait('a', [first], 100);
    wait('b', [first, second], 300);
    expect([queue.stoodMs([first, second], 500), queue.stoodMs([first, second, idle], 500)]).toEqual([200, 0]);
  });
});
