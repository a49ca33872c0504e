import { beforeEach, describe, expect, it } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { type Delivery, EventLog, type SubscribeOptions, type Subscription } from './event-log.ts';
import { Metrics } from './metrics.ts';

const ROOMY = { maxEvents: 100, maxBytes: 1_048_576 };

let metrics: Metrics;
let log: EventLog;

beforeEach(() => {
  metrics = new Metrics();
  log = open(ROOMY);
});

function open(bounds: typeof ROOMY): EventLog {
  return new EventLog({ ...bounds, observer: metrics, now: () => 5_000 });
}

function publish(topic: string, count = 1): void {
  for (let n = 0; n < count; n += 1) log.publish({ topic, text: 'it happened' });
}

function subscribe(options: Partial<SubscribeOptions> = {}): Subscription {
  return log.subscribe({ onNews: () => undefined, ...options });
}

/** Everything that can be taken now: sequences of events, and "missed N". */
function taken(subscription: Subscription): (number | string)[] {
  const all: Delivery[] = [];
  for (let next = subscription.take(); next !== undefined; next = subscription.take()) all.push(next);
  return all.map((each) => ('event' in each ? each.event.sequence : `missed ${each.missed}`));
}

describe('the event log', () => {
  it('numbers the events of all topics from 1, and gives them a time', () => {
    expect(log.lastSequence).toBe(0);
    log.publish({ topic: 'engine', text: 'a' });
    const event = log.publish({ topic: 'user.x', text: 'b', severity: 'ERROR', data: { k: 'v' }, traceId: 'f00' });
    expect(event).toEqual({
      ...{ sequence: 2, timeMs: 5_000, topic: 'user.x', severity: 'ERROR', text: 'b' },
      ...{ data: { k: 'v' }, payload: new Uint8Array(), traceId: 'f00', count: 1, firstTimeMs: 5_000 },
    });
    expect(log.lastSequence).toBe(2);
  });

  it('has one event for equal causes', () => {
    const first = log.publish({ topic: 'engine', text: 'down' });
    log.publish({ topic: 'engine', text: 'ready' });
    log.publish({ topic: 'engine', text: 'down', count: 17, firstTimeMs: 4_000, replaces: first.sequence });
    expect(log.recent(10).map(({ text, count }) => `${text} ${count}`)).toEqual(['down 17', 'ready 1']);
  });

  it('has a different run id for each run', () => {
    expect(log.instance).toMatch(/^[0-9a-f]{16}$/);
    expect(open(ROOMY).instance).not.toBe(log.instance);
  });

  it('shows the newest of all topics, newest first', () => {
    publish('engine');
    publish('user.x');
    publish('alert');
    expect(log.recent(2).map(({ topic }) => topic)).toEqual(['alert', 'user.x']);
    expect(log.recent(0)).toEqual([]);
  });

  it('counts published events by topic, and those of users together', () => {
    publish('engine', 2);
    publish('user.x');
    publish('user.y');
    const published = {
      engine: 2,
      breaker: 0,
      quarantine: 0,
      dispute: 0,
      model: 0,
      alert: 0,
      config: 0,
      security: 0,
      session: 0,
      user: 2,
    };
    expect(metrics.snapshot().events).toEqual({ published, missed: 0 });
  });
});

describe('a subscriber', () => {
  it('gets the events after its start, each once', () => {
    publish('engine', 2);
    const subscription = subscribe();
    publish('engine', 2);
    expect(taken(subscription)).toEqual([3, 4]);
    expect(taken(subscription)).toEqual([]);
    publish('user.x');
    expect(taken(subscription)).toEqual([5]);
  });

  it('resumes after a sequence and continues with new events', () => {
    for (const topic of ['engine', 'user.a', 'breaker', 'engine', 'user.b']) publish(topic);
    const subscription = subscribe({ afterSequence: 2 });
    expect(taken(subscription)).toEqual([3, 4, 5]);
    publish('alert');
    expect(taken(subscription)).toEqual([6]);
    expect(taken(subscribe({ afterSequence: 0 }))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it.each([
    [['engine'], [1]],
    [['user.*'], [3, 4]],
    [['user.a.*', 'alert'], [4]],
    [['*'], [1, 2, 3, 4]],
    [
      ['en*', 'user.a'],
      [1, 3],
    ],
    [['us*'], [3, 4]],
  ])('gets only its topics: %j', (topics, sequences) => {
    const subscription = subscribe({ topics });
    for (const topic of ['engine', 'breaker', 'user.a', 'user.a.b']) publish(topic);
    expect(taken(subscription)).toEqual(sequences);
  });

  it('is woken once for all events of one turn, after the publishers have returned', async () => {
    let wakings = 0;
    const subscription = subscribe({ onNews: () => (wakings += 1) });
    publish('engine', 3);
    expect(wakings).toBe(0);
    await turn();
    expect(wakings).toBe(1);
    subscription.end();
    publish('engine');
    await turn();
    expect([wakings, log.subscribers]).toEqual([1, 0]);
  });
});

describe('a subscriber that is too slow', () => {
  beforeEach(() => {
    log = open({ ...ROOMY, maxEvents: 3 });
  });

  it('gets the number of missed events before the next event', () => {
    const subscription = subscribe();
    publish('engine', 10);
    expect(taken(subscription)).toEqual(['missed 7', 8, 9, 10]);
    publish('engine');
    expect(taken(subscription)).toEqual([11]);
    expect(metrics.snapshot().events.missed).toBe(7);
  });

  it('gets that number after the older events that are still stored', () => {
    const subscription = subscribe();
    publish('engine');
    publish('user.x', 5);
    expect(taken(subscription)).toEqual([1, 'missed 2', 4, 5, 6]);
  });

  it('misses only events of its topics', () => {
    const subscription = subscribe({ topics: ['user.mine'] });
    publish('user.mine');
    publish('user.other', 2);
    expect(taken(subscription)).toEqual([1]);
    publish('user.other', 10);
    publish('user.mine');
    expect(taken(subscription)).toEqual([14]);
    expect(metrics.snapshot().events.missed).toBe(0);
  });

  it('does not make other subscribers miss events', () => {
    const [slow, quick] = [subscribe(), subscribe()];
    for (let n = 1; n <= 10; n += 1) {
      publish('engine');
      expect(taken(quick)).toEqual([n]);
    }
    expect(taken(slow)).toEqual(['missed 7', 8, 9, 10]);
  });

  it('gets the number if it resumes too late', () => {
    publish('engine', 10);
    expect(taken(subscribe({ afterSequence: 2 }))).toEqual(['missed 5', 8, 9, 10]);
    expect(taken(subscribe({ afterSequence: 7 }))).toEqual([8, 9, 10]);
  });

  it('gets an upper bound if the log no longer knows the topics of the dropped events', () => {
    publish('user.mine');
    publish('user.other', 4);
    expect(taken(subscribe({ afterSequence: 0, topics: ['user.mine'] }))).toEqual(['missed 2']);
    expect(taken(subscribe({ afterSequence: 0, topics: ['engine'] }))).toEqual([]);
  });
});

describe('a flood', () => {
  it('of one topic evicts no events of the others', () => {
    log = open({ ...ROOMY, maxEvents: 3 });
    publish('engine', 3);
    publish('dispute', 1_000);
    publish('user.x', 1_000);
    expect(taken(subscribe({ topics: ['engine'], afterSequence: 0 }))).toEqual([1, 2, 3]);
  });

  it('is bounded in bytes, but the newest event is always kept', () => {
    log = open({ maxEvents: 1_000, maxBytes: 100_000 });
    const payload = new Uint8Array(30_000);
    for (let n = 0; n < 10; n += 1) log.publish({ topic: 'user.x', text: '', payload });
    expect(log.recent(100).map(({ sequence }) => sequence)).toEqual([10, 9, 8]);
    log.publish({ topic: 'user.x', text: 'x'.repeat(200_000) });
    expect(log.recent(100).map(({ sequence }) => sequence)).toEqual([11]);
  });
});
