import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import type { RouterError } from '../core/errors.ts';
import {
  EventServiceClient,
  EventServiceService,
  PublishRequest,
  type PublishResponse,
  Severity,
} from '../generated/tandem/v1/events.ts';
import { EventLog } from '../telemetry/event-log.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { promised } from '../../test/support/promised.ts';
import { callMethod, unaryOptions } from '../../test/fakes/call-method.ts';
import { refusalOf } from '../../test/support/refusal.ts';
import { EventReader } from '../../test/support/event-reader.ts';
import { type Served, serve } from '../../test/support/serve.ts';
import { until } from '../../test/support/until.ts';
import { OpenCalls } from './open-calls.ts';
import { eventMethods } from './events.ts';

const MAX_SUBSCRIBERS = 3;

let nowMs: number;
let metrics: Metrics;
let log: EventLog;
let drain: AbortController;
let internal: RouterError[];
let server: Served;
let client: EventServiceClient;

beforeEach(async () => {
  nowMs = 0;
  metrics = new Metrics();
  log = new EventLog({ maxEvents: 100, maxBytes: 16_777_216, observer: metrics });
  drain = new AbortController();
  internal = [];
  const options = {
    timeoutMs: 10_000,
    onInternalError: (_path: string, error: RouterError) => internal.push(error),
    observer: metrics,
    drained: drain.signal,
    calls: new OpenCalls(),
    maxSubscribers: MAX_SUBSCRIBERS,
    publishPerS: 5,
    nowMs: () => nowMs,
  };
  server = await serve(eventMethods(log, options));
  client = new EventServiceClient(server.address, grpc.credentials.createInsecure());
});

afterEach(() => {
  expect(internal).toEqual([]);
  client.close();
  server.stop();
});

function publish(over: Partial<PublishRequest> = {}): Promise<PublishResponse> {
  const request = PublishRequest.fromPartial({ topic: 'user.x', text: 'it happened', ...over });
  return promised((done) => client.publish(request, done));
}

/** Resolves when the subscription is active. */
async function subscribe(
  ...args: ConstructorParameters<typeof EventReader> extends [unknown, ...infer R] ? R : never
): Promise<EventReader> {
  const reader = new EventReader(client, ...args);
  await reader.subscribed;
  return reader;
}

function tell(text: string): void {
  log.publish({ topic: 'engine', text });
}

describe('Subscribe', () => {
  it('first sends the instance of the router and its last sequence', async () => {
    tell('before');
    const reader = await subscribe();
    expect(await reader.subscribed).toEqual({ instance: log.instance, lastSequence: 1n });
  });

  it('sends later events with all their fields', async () => {
    tell('before');
    const reader = await subscribe();
    const data = { engine: 'engine-1' };
    log.publish({ topic: 'breaker', severity: 'WARNING', text: 'open', data, traceId: 'f00' });
    await publish({ severity: Severity.SEVERITY_ERROR, payload: Buffer.from([1, 2]), data: { k: 'v' } });
    await until(() => reader.events.length === 2, { what: 'both' });
    expect(reader.events).toMatchObject([
      { sequence: 2n, topic: 'breaker', severity: Severity.SEVERITY_WARNING, text: 'open', data, traceId: 'f00' },
      { sequence: 3n, topic: 'user.x', severity: Severity.SEVERITY_ERROR, data: { k: 'v' }, traceId: '' },
    ]);
    expect([...reader.events[1]!.payload]).toEqual([1, 2]);
    expect(Math.abs(Number(reader.events[1]!.timeMs) - Date.now())).toBeLessThan(10_000);
  });

  it('sends the stored events after a sequence, then new ones', async () => {
    for (const text of ['a', 'b', 'c']) tell(text);
    const reader = await subscribe({ afterSequence: 1n, instance: log.instance });
    tell('d');
    await until(() => reader.events.length === 3, { what: 'three' });
    expect(reader.events.map(({ text }) => text)).toEqual(['b', 'c', 'd']);
  });

  it('sends all stored events if the caller names an earlier instance', async () => {
    tell('a');
    const reader = await subscribe({ afterSequence: 900n, instance: '0123456789abcdef' });
    await until(() => reader.events.length === 1, { what: 'the first' });
    expect((await reader.subscribed).instance).toBe(log.instance);
  });

  it('reports how many events were missed, before the later ones', async () => {
    for (let n = 0; n < 150; n += 1) tell(String(n));
    const reader = await subscribe({ afterSequence: 0n });
    await until(() => reader.events.length === 100, { what: 'all that is left' });
    expect(reader.story.slice(0, 2)).toEqual(['missed 50', 51]);
  });

  it.each([
    [{ topics: ['engin'] }, 'topics[0]', /no topic "engin"; there are: engine, breaker/],
    [{ topics: ['engine', 'user..x'] }, 'topics[1]', /user\.\.x/],
    [{ topics: ['engine', '*.x'] }, 'topics[1]', /followed by "\*"/],
    [{ topics: [''] }, 'topics[0]', /no topic ""/],
    [{ topics: ['user.\u001b[2J'] }, 'topics[0]', /\\u001b\[2J/],
    [{ topics: [`user.${'x'.repeat(1_000_000)}`] }, 'topics[0]', /no topic "user\.xxx/],
    [{ topics: Array.from({ length: 65 }, () => '*') }, 'topics', /65 entries; send at most 64/],
    [{ afterSequence: 1n }, 'after_sequence', /after_sequence is 1, and the newest event is 0/],
    [{ afterSequence: 2n ** 64n - 1n }, 'after_sequence', /is 18446744073709551615/],
  ])('refuses invalid fields: %#', async (request, field, message) => {
    const refusal = await refusalOf(new EventReader(client, request).ended);
    expect(refusal).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'INVALID_FIELD', field });
    expect(refusal.message).toMatch(message);
  });

  it('refuses bytes that are not a valid message', async () => {
    const { path } = EventServiceService.subscribe;
    const call = client.makeServerStreamRequest(
      path,
      (bytes: Buffer) => bytes,
      (bytes) => bytes,
      Buffer.from([0xff]),
    );
    const ended = new Promise((_resolve, reject) => call.on('error', reject).resume());
    expect(await refusalOf(ended)).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'INVALID_FIELD' });
  });

  it('refuses more subscribers than the limit until one leaves', async () => {
    const readers = await Promise.all(Array.from({ length: MAX_SUBSCRIBERS }, () => subscribe()));
    expect(await refusalOf(new EventReader(client).ended)).toMatchObject({
      ...{ code: 'RESOURCE_EXHAUSTED', reason: 'ROUTER_FULL', retryAfterMs: 1_000 },
      message: '3 callers subscribe already; try again later, or see setting events.max_subscribers',
    });
    readers[0]!.cancel();
    await until(() => log.subscribers === MAX_SUBSCRIBERS - 1, { what: 'it to have left' });
    await subscribe();
  });

  it('ends without a counted error when its caller leaves or its deadline passes', async () => {
    const [leaving, late] = [await subscribe(), await subscribe({}, { deadline: Date.now() + 100 })];
    leaving.cancel();
    expect(await refusalOf(late.ended)).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await until(() => log.subscribers === 0, { what: 'both to be over' });
    const counted = metrics.snapshot().requestTypes.find(({ type }) => type === 'Subscribe');
    expect(counted).toMatchObject({ count: 2, errors: 0 });
  });

  it('ends with DRAINING when the router stops, after the pending events', async () => {
    const reader = await subscribe();
    tell('the last');
    await until(() => reader.events.length === 1, { what: 'it' });
    drain.abort();
    expect(await refusalOf(reader.ended)).toMatchObject({ code: 'UNAVAILABLE', reason: 'DRAINING' });
    expect(await refusalOf(new EventReader(client).ended)).toMatchObject({ reason: 'DRAINING' });
  });
});

describe('Publish', () => {
  it('returns the sequence of the event and the instance of the router', async () => {
    tell('a');
    expect(await publish()).toMatchObject({ sequence: 2n, instance: log.instance });
    expect(log.recent(1)).toMatchObject([{ topic: 'user.x', severity: 'INFO', text: 'it happened' }]);
  });

  const much = (entries: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: entries }, (_, n) => [`k${n}`, 'v']));

  it.each<[string, Partial<PublishRequest>, string, RegExp]>([
    ['a topic of the router', { topic: 'engine' }, 'topic', /the router’s own; publish to .* "user.engine"/],
    [
      'a topic that is neither the router’s nor a user’s',
      { topic: 'weather' },
      'topic',
      /"weather" must be "user\." and letters/,
    ],
    ['no topic', { topic: '' }, 'topic', /topic ""/],
    ['a topic without a name', { topic: 'user.' }, 'topic', /must be/],
    ['a topic that is a pattern', { topic: 'user.*' }, 'topic', /must be/],
    ['a topic with a line break', { topic: 'user.x\ny' }, 'topic', /"user\.x\\ny"/],
    ['a long topic', { topic: `user.${'x'.repeat(200_000)}` }, 'topic', /at most 128/],
    ['an unknown severity', { severity: 99 as Severity }, 'severity', /severity is 99/],
    ['a long text', { text: 'x'.repeat(4_097) }, 'text', /4097 characters; send at most 4096/],
    ['too many data entries', { data: much(33) }, 'data', /33 entries; send at most 32/],
    ['an invalid key', { data: { 'a b': '' } }, 'data', /key "a b"/],
    ['a long data value', { data: { k: 'x'.repeat(1_025) } }, 'data["k"]', /1025 characters/],
    ['a large payload', { payload: Buffer.alloc(65_537) }, 'payload', /65537 bytes; send at most 65536/],
  ])('refuses %s', async (_name, over, field, message) => {
    const refusal = await refusalOf(publish(over));
    expect(refusal).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'INVALID_FIELD', field });
    expect(refusal.message).toMatch(message);
    expect(log.lastSequence).toBe(0);
  });

  it('accepts the largest event within the limits', async () => {
    const topic = `user.${'x'.repeat(123)}`;
    await publish({ topic, text: 'x'.repeat(4_096), data: much(32), payload: Buffer.alloc(65_536) });
    expect(log.lastSequence).toBe(1);
  });

  it('stores only the payload, not the whole request', async () => {
    await publish({ payload: Buffer.alloc(10) });
    expect(log.recent(1)[0]!.payload.buffer.byteLength).toBe(10);
  });

  it('refuses more events per second than the setting, with a retry time', async () => {
    for (let n = 0; n < 5; n += 1) await publish();
    expect(await refusalOf(publish())).toMatchObject({
      ...{ code: 'RESOURCE_EXHAUSTED', reason: 'PUBLISH_RATE', retryAfterMs: 200 },
      message: expect.stringMatching(/more than 5 events a second; .* events\.publish_per_s/) as unknown,
    });
    nowMs = 200;
    await publish();
    expect(log.lastSequence).toBe(6);
  });

  it('refuses all events if the setting is 0', async () => {
    const none = eventMethods(log, { ...unaryOptions(), drained: drain.signal, maxSubscribers: 1, publishPerS: 0 });
    const request = PublishRequest.fromPartial({ topic: 'user.x' });
    expect(await refusalOf(callMethod(none, EventServiceService.publish, request))).toMatchObject({
      reason: 'PUBLISH_RATE',
      message: expect.stringMatching(/^this router publishes no users’ events/) as unknown,
    });
  });

  it('says how long it took', async () => {
    const methods = eventMethods(log, { ...unaryOptions(), drained: drain.signal, maxSubscribers: 1, publishPerS: 5 });
    const request = PublishRequest.fromPartial({ topic: 'user.x' });
    expect((await callMethod(methods, EventServiceService.publish, request)).sequence).toBe(1n);
  });
});
