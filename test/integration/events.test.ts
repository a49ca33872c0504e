// Events reach subscribers once and in order. A slow subscriber cannot slow the router, or fill its memory.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import { EventServiceClient, PublishRequest, type PublishResponse } from '../../services/generated/tandem/v1/events.ts';
import { Strategy } from '../../services/generated/tandem/v1/types.ts';
import { flipDigestBit } from '../fakes/lying-engine.ts';
import { promised } from '../support/promised.ts';
import { EventReader } from '../support/event-reader.ts';
import { Operator } from '../support/operator.ts';
import { type Program, run } from '../support/process.ts';
import { refusalOf } from '../support/refusal.ts';
import { startRouter } from '../support/router-process.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';
import { Fleet, Inputs } from './router-table/fleet.ts';

const PAYLOAD = Buffer.alloc(65_536, 7);

const clients: EventServiceClient[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

/** With a separate connection: a stopped reader blocks all users of its connection. */
function connect(address: string): EventServiceClient {
  const client = new EventServiceClient(address, grpc.credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
  });
  clients.push(client);
  return client;
}

function publish(client: EventServiceClient, over: Partial<PublishRequest> = {}): Promise<PublishResponse> {
  const request = PublishRequest.fromPartial({ topic: 'user.test', text: 'it happened', ...over });
  return promised((done) => client.publish(request, done));
}

async function publishMany(
  client: EventServiceClient,
  count: number,
  over: Partial<PublishRequest> = {},
): Promise<void> {
  for (let n = 0; n < count; n += 1) await publish(client, over);
}

const upTo = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n);

describe('users’ events', () => {
  let system: System;
  let publisher: EventServiceClient;

  async function start(events: Record<string, unknown> = {}): Promise<void> {
    system = await startSystem({ spawn: { count: 0 }, events: { publish_per_s: 10_000, ...events } });
    publisher = connect(system.address);
  }

  afterEach(async () => {
    await system.stop();
  });

  it('reach all their subscribers in order, and no others', async () => {
    await start();
    const [all, some, none] = [
      new EventReader(connect(system.address), { topics: ['user.*'] }),
      new EventReader(connect(system.address), { topics: ['user.b'] }),
      new EventReader(connect(system.address), { topics: ['alert'] }),
    ];
    await Promise.all([all.subscribed, some.subscribed, none.subscribed]);
    for (const topic of ['user.a', 'user.b', 'user.c', 'user.b']) await publish(publisher, { topic });
    await until(() => all.events.length === 4 && some.events.length === 2, { what: 'all events' });
    expect(all.events.map(({ topic }) => topic)).toEqual(['user.a', 'user.b', 'user.c', 'user.b']);
    expect([some.events.map(({ topic }) => topic), none.events]).toEqual([['user.b', 'user.b'], []]);
  });

  it('reach a subscriber that reconnects often, each once', async () => {
    await start();
    const COUNT = 500;
    const publishing = publishMany(publisher, COUNT);
    const client = connect(system.address);
    const first = new EventReader(client, { topics: ['user.*'], afterSequence: 0n });
    const { instance } = await first.subscribed;
    const eventOf: bigint[] = [];
    let reader = first;
    for (let connections = 1; eventOf.length < COUNT; connections += 1) {
      await until(() => reader.events.length >= Math.min(7 * connections, COUNT - eventOf.length), {
        what: 'some events',
      });
      reader.cancel();
      eventOf.push(...reader.events.map(({ sequence }) => sequence));
      expect(reader.story.filter((each) => typeof each === 'string')).toEqual([]);
      reader = new EventReader(client, { topics: ['user.*'], afterSequence: eventOf.at(-1)!, instance });
    }
    await publishing;
    const began = Number(eventOf[0]);
    expect(eventOf.map(Number)).toEqual(upTo(began, began + COUNT - 1));
    reader.cancel();
  });

  it('reach a subscriber from the beginning after a restart of the router', async () => {
    await start();
    const before = new EventReader(connect(system.address));
    const { instance } = await before.subscribed;
    await system.stop();
    await start();
    await publish(publisher);
    const after = new EventReader(connect(system.address), { instance, afterSequence: 1_000n });
    expect((await after.subscribed).instance).not.toBe(instance);
    await until(() => after.events.some(({ topic }) => topic === 'user.test'), { what: 'the event' });
    expect(after.story[0]).toBe(1);
  });

  it('are lost for a stopped reader as the log drops them, and for no other', async () => {
    await start({ max_events: 20 });
    const [stopped, quick] = [connect(system.address), connect(system.address)].map(
      (client) => new EventReader(client, { topics: ['user.*'] }),
    ) as [EventReader, EventReader];
    await Promise.all([stopped.subscribed, quick.subscribed]);
    stopped.pause();
    const COUNT = 200;
    for (let n = 1; n <= COUNT; n += 1) {
      await publish(publisher, { payload: PAYLOAD });
      await until(() => quick.events.length === n, { what: 'the fast reader to have it' });
    }
    const last = Number(quick.events.at(-1)!.sequence);
    expect(quick.story).toEqual(upTo(last - COUNT + 1, last));
    stopped.resume();
    await until(() => stopped.story.at(-1) === last, { what: 'the stopped reader to have caught up' });
    // Events sent before it stopped reading, the number missed, and the events still in the log.
    const [disputes] = stopped.story.filter((each) => typeof each === 'string');
    const missed = Number(/^missed (\d+)$/.exec(disputes!)![1]);
    expect(missed).toBeGreaterThan(COUNT / 2);
    const sequences = stopped.events.map(({ sequence }) => Number(sequence));
    expect(sequences).toEqual([...upTo(last - COUNT + 1, last - 20 - missed), ...upTo(last - 19, last)]);
    expect(stopped.story.indexOf(disputes!)).toBe(sequences.indexOf(last - 19));
    const { events } = await metricsOf(system);
    expect(events).toMatchObject({ subscribers: 2, missed: BigInt(missed) });
    expect(events?.published['user']).toBe(BigInt(COUNT));
  });

  it('of users cannot evict the router’s own, or keep it from answering', async () => {
    await start({ max_events: 5, publish_per_s: 50 });
    const flood = Array.from({ length: 500 }, () => refusalOf(publish(publisher)));
    await system.reason({ encoding: Array<number>(768).fill(0.1) });
    const reasons = (await Promise.all(flood)).map(({ reason }) => reason);
    expect(reasons.filter((reason) => reason === 'PUBLISH_RATE').length).toBeGreaterThan(300);
    const reader = new EventReader(connect(system.address), { topics: ['engine'], afterSequence: 0n });
    await until(() => reader.events.length === 1, { what: 'what was first' });
    expect(reader.events[0]).toMatchObject({ text: 'engine ready', data: { engine: 'local' } });
    expect(reader.story[0]).toBe(1);
  });

  it('end with the reason when the router stops', async () => {
    await start();
    const reader = new EventReader(connect(system.address));
    await reader.subscribed;
    await system.stop();
    expect(await refusalOf(reader.ended)).toMatchObject({ code: 'UNAVAILABLE', reason: 'DRAINING' });
  });
});

async function metricsOf({ address }: System): ReturnType<Operator['metrics']> {
  const operator = new Operator(address);
  const metrics = await operator.metrics();
  operator.close();
  return metrics;
}

describe('thirty stopped readers', () => {
  const MIB = 1_048_576;

  it('use little more memory than the log: unread events are kept once, or not at all', async () => {
    const router = await startRouter({ events: { max_bytes: MIB, publish_per_s: 10_000 } });
    try {
      const readers = Array.from({ length: 30 }, () => new EventReader(connect(router.address)));
      await Promise.all(readers.map(({ subscribed }) => subscribed));
      for (const reader of readers) reader.pause();
      const publisher = connect(router.address);
      await publishMany(publisher, 50, { payload: PAYLOAD });
      const before = router.rssBytes();
      await publishMany(publisher, 300, { payload: PAYLOAD }); // 19 MiB; for each reader it would be 560 MiB
      expect(router.rssBytes() - before).toBeLessThan(64 * MIB);
    } finally {
      router.kill();
    }
  }, 120_000);
});

describe('npx tandem', () => {
  let system: System;

  beforeAll(async () => {
    system = await startSystem({ spawn: { count: 0 } });
  });

  afterAll(async () => {
    await system.stop();
  });

  const tandem = (args: string[]): Program => run('services/cli/main.ts', [...args, '--address', system.address]);

  it('events shows published events until Ctrl-C, which ends it with exit code 0', async () => {
    const watching = tandem(['events', '--after', '0', '--topic', 'engine', '--topic', 'user.*']);
    expect(await watching.line(/engine ready/)).toMatch(
      /^\S+Z {7}1 {2}engine {6}info {5}engine ready {2}engine=local /,
    );
    const { stdout, code } = await tandem(['publish', 'user.deploy', 'version 7', '--data', 'by=me']).finished;
    expect([stdout, code]).toEqual(['published on user.deploy as event 2\n', 0]);
    expect(await watching.line(/version 7/)).toMatch(/ {7}2 {2}user\.deploy {2}info {5}version 7 {2}by=me$/);
    watching.child.kill('SIGINT');
    expect(await watching.finished).toMatchObject({ code: 0, stderr: '' });
  });

  it('events --json writes a line for each message, including the first one', async () => {
    const watching = tandem(['events', '--json']);
    expect(JSON.parse(await watching.line(/./))).toMatchObject({
      subscribed: { instance: expect.any(String) as unknown },
    });
    watching.child.kill('SIGINT');
    expect((await watching.finished).code).toBe(0);
  });

  it.each([
    [['publish', 'engine', 'I am well'], 1, /INVALID_FIELD.*the router’s own; publish to .* "user\.engine"/],
    [['publish', 'user.x', 'y', '--data', 'z'], 2, /key=value/],
    [['events', '--topic', 'engin'], 1, /there is no topic "engin"; there are: engine, breaker/],
    [['events', '--after', '900'], 1, /after_sequence is 900, and the newest event is \d/],
  ])('reports the error: %j', async (args, code, message) => {
    const finished = await tandem(args).finished;
    expect([finished.code, finished.stderr]).toEqual([code, expect.stringMatching(message)]);
  });
});

describe('the router’s own events', () => {
  const IDS = ['one', 'two', 'three'] as const;
  const inputs = new Inputs();
  let fleet: Fleet<(typeof IDS)[number]>;
  let system: System;
  let reader: EventReader;

  beforeAll(async () => {
    fleet = await Fleet.start(IDS);
  });

  afterAll(async () => {
    await fleet.stop();
  });

  beforeEach(async () => {
    const over = { local: { enabled: false }, cache: { enabled: false }, spawn: { count: 0 } };
    system = await startSystem({ ...over, sidecars: fleet.settings, quarantine: { sit_out_ms: 200 } });
    reader = new EventReader(connect(system.address));
    await reader.subscribed;
  });

  afterEach(async () => {
    fleet.behave();
    await system.stop();
  });

  /** Resolves with its data. */
  function eventOf(topic: string, text: string, engine: string): Promise<Readonly<Record<string, string>>> {
    return until(
      () =>
        reader.events.find((event) => event.topic === topic && event.text === text && event.data['engine'] === engine)!
          .data,
      { what: `${text} on ${topic}`, timeoutMs: 10_000 },
    );
  }

  it('report a killed sidecar, its breaker, and its return', async () => {
    await fleet.sidecar('two').kill();
    expect((await eventOf('engine', 'engine down', 'two'))['why']).toMatch(/^down: /);
    expect(await eventOf('breaker', 'breaker changed', 'two')).toMatchObject({ breaker: 'OPEN' });
    await fleet.restart('two');
    expect((await eventOf('engine', 'engine ready', 'two'))['build']).toContain('tandem');
  });

  it('report an engine that an operator removes', async () => {
    const operator = new Operator(system.adminAddress);
    await operator.remove('three');
    operator.close();
    await eventOf('engine', 'engine removed', 'three');
  });

  it('report a lying engine: the disputes, its quarantine, and its readmission when it is correct again', async () => {
    fleet.front('two').lie = flipDigestBit;
    for (let n = 0; n < 10; n += 1) {
      await system.reason({ ...inputs.request(), strategy: Strategy.STRATEGY_REDUNDANT });
    }
    expect((await eventOf('quarantine', 'engine quarantined', 'two'))['why']).toMatch(
      /contradicted the majority 3 times/,
    );
    // A dispute is published after its recordings have been compared. The quarantine does not wait for that.
    const disputeEvents = (): typeof reader.events => reader.events.filter(({ topic }) => topic === 'dispute');
    await until(() => disputeEvents().length >= 3, { what: 'three disputes' });
    const disputes = disputeEvents();
    expect(disputes).toHaveLength(3);
    expect(disputes[0]?.data).toMatchObject({ model: 'supersense', version: '1', verdict: 'MAJORITY', wrong: 'two' });
    expect(disputes[0]?.data['ballots']).toMatch(/one [0-9a-f]{16}, two [0-9a-f]{16}, three [0-9a-f]{16}/);
    fleet.front('two').lie = undefined;
    await eventOf('quarantine', 'engine trusted again', 'two');
    const [out, back] = ['engine quarantined', 'engine trusted again'].map((text) =>
      reader.events.findIndex((event) => event.text === text),
    );
    expect(back).toBeGreaterThan(out!);
  });
});
