import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeCall } from '../../test/fakes/fake-call.ts';
import { silent } from '../../test/fakes/fake-parts.ts';
import { RouterError } from '../core/errors.ts';
import { SubscribeRequest, type SubscribeResponse } from '../generated/tandem/v1/events.ts';
import { Code, type Status } from '../grpc/status.ts';
import { EventLog } from '../telemetry/event-log.ts';
import { EventStreams } from './event-stream.ts';

let log: EventLog;
let streams: EventStreams;
let internal: RouterError[];
/** The ends of calls, in order; undefined: OK. */
let ends: (Status | undefined)[];
let call: FakeCall<SubscribeResponse>;

beforeEach(() => {
  log = new EventLog({ maxEvents: 100, maxBytes: 1e6, now: () => 7 });
  internal = [];
  ends = [];
  call = new FakeCall((end) => ends.push(end));
  streams = new EventStreams(log, {
    onInternalError: (_path, error) => void internal.push(error),
    ...{ observer: silent, drained: new AbortController().signal, maxSubscribers: 2 },
  });
});

function begin(over: Partial<SubscribeRequest> = {}): void {
  streams.begin(call, SubscribeRequest.fromPartial(over));
}

function publish(...texts: string[]): void {
  for (const text of texts) log.publish({ topic: 'engine', text });
}

const woken = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function texts(): (string | undefined)[] {
  return call.answers.map(({ what }) => (what?.$case === 'event' ? what.value.text : what?.$case));
}

describe('a subscription', () => {
  it('says how long each message took to make', async () => {
    begin();
    publish('a');
    await woken();
    expect(texts()).toEqual(['subscribed', 'a']);
    const elapsedMs = performance.now() - call.startedMs;
    for (const { processingTimeMs } of call.answers) {
      expect(processingTimeMs).toBeGreaterThanOrEqual(0);
      expect(processingTimeMs).toBeLessThanOrEqual(elapsedMs);
    }
  });

  it('sends an event with its times and its count', async () => {
    begin();
    log.publish({ topic: 'engine', text: 'again', count: 3, firstTimeMs: 5 });
    await woken();
    expect(call.answers[1]!.what!.value).toMatchObject({ timeMs: 7n, firstTimeMs: 5n, count: 3n, sequence: 1n });
  });

  it('sends no events while the caller does not read, and then all', async () => {
    begin();
    call.hasUnsent = true;
    publish('a', 'b');
    await woken();
    expect(texts()).toEqual(['subscribed']);
    call.hasUnsent = false;
    call.listener!.onDrain!();
    expect(texts()).toEqual(['subscribed', 'a', 'b']);
  });

  it('stops in the middle of its events when the caller reads no more', () => {
    publish('a', 'b');
    const { send } = call;
    call.send = (response) => {
      call.hasUnsent = response.what?.$case === 'event';
      return send.call(call, response);
    };
    begin({ afterSequence: 0n });
    expect(texts()).toEqual(['subscribed', 'a']);
  });

  it('sends no events after the deadline of the caller', async () => {
    call.deadlineMs = performance.now() - 1;
    begin();
    publish('a');
    await woken();
    expect(texts()).toEqual(['subscribed']);
  });

  it('ends when the caller leaves', () => {
    begin();
    call.cut();
    expect(log.subscribers).toBe(0);
  });

  it('ends with INTERNAL, which is reported, if an event cannot be sent', async () => {
    begin();
    call.send = () => {
      throw new TypeError('a bug');
    };
    publish('a');
    await woken();
    expect([ends[0]?.code, internal.length, log.subscribers]).toEqual([Code.INTERNAL, 1, 0]);
  });

  it('ends with the error of a request that could not be decoded', () => {
    streams.begin(call, new RouterError('INVALID_FIELD', 'it is malformed'));
    expect([ends[0]?.code, log.subscribers]).toEqual([Code.INVALID_ARGUMENT, 0]);
  });
});

describe('a subscription after a sequence', () => {
  beforeEach(() => publish('a', 'b', 'c'));

  it.each<[string, Partial<SubscribeRequest>, string[]]>([
    ['of this run', { afterSequence: 1n }, ['b', 'c']],
    ['without one', {}, []],
    ['of the newest event', { afterSequence: 3n }, []],
    ['of an earlier run', { afterSequence: 900n, instance: 'x' }, ['a', 'b', 'c']],
  ])('%s sends the events that the caller has not seen', (_, request, events) => {
    begin(request);
    expect(texts()).toEqual(['subscribed', ...events]);
  });

  it('of this run, by its instance, sends only what comes after it', () => {
    begin({ afterSequence: 2n, instance: log.instance });
    expect(texts()).toEqual(['subscribed', 'c']);
  });

  it.each(['', 'this'])('above the newest event is refused: instance "%s"', (instance) => {
    begin({ afterSequence: 4n, instance: instance && log.instance });
    expect([ends[0]?.code, call.answers]).toEqual([Code.INVALID_ARGUMENT, []]);
  });
});
