import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { FakeCall } from '../../test/fakes/fake-call.ts';
import { silent } from '../../test/fakes/fake-parts.ts';
import { MetricsServer } from '../../test/fakes/fake-metrics-server.ts';
import { readRefusal } from '../../test/support/refusal.ts';
import { until } from '../../test/support/until.ts';
import { ERROR_KINDS, type RouterError } from '../core/errors.ts';
import { MAX_WATCHERS, Watches } from './metrics-watch.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { MeterSources } from '../telemetry/meter.ts';
import type {
  MetricsServiceClient,
  WatchMetricsResponse,
  Metrics as MetricsMessage,
} from '../generated/tandem/v1/metrics.ts';

let service: MetricsServer;
let metrics: Metrics;
let ticker: MetricsServer['ticker'];
let drain: AbortController;
let internal: RouterError[];
let sources: MeterSources;
let client: MetricsServiceClient;

beforeEach(async () => {
  service = await new MetricsServer().start();
  ({ metrics, ticker, drain, internal, sources, client } = service);
});

afterEach(() => service.stop());

const WATCH_ENDED = { what: 'the watch to end' };

function watch(
  intervalMs = 0,
  options: Partial<grpc.CallOptions> = {},
): grpc.ClientReadableStream<WatchMetricsResponse> {
  return client.watchMetrics({ intervalMs }, options);
}

async function next(stream: grpc.ClientReadableStream<WatchMetricsResponse>): Promise<MetricsMessage> {
  const [response] = (await once(stream, 'data')) as [WatchMetricsResponse];
  return response.metrics!;
}

async function failure(stream: grpc.ClientReadableStream<WatchMetricsResponse>): Promise<grpc.ServiceError> {
  stream.resume();
  const [error] = (await once(stream, 'error')) as [grpc.ServiceError];
  return error;
}

const watchOutcomes = (): unknown => metrics.snapshot().requestTypes.find(({ type }) => type === 'WatchMetrics');

describe('WatchMetrics', () => {
  it('sends the first message at once, and one more each interval', async () => {
    const stream = watch();
    expect((await next(stream)).requests).toBe(0n);
    metrics.requestEnded('Reason', 'OK', 2);
    ticker.tick();
    expect((await next(stream)).requests).toBe(1n);
    stream.on('error', () => undefined).cancel();
  });

  it.each([
    [0, 1_000],
    [100, 100],
    [60_000, 60_000],
  ])('with an interval of %d ms sends every %d ms', async (requestedMs, usedMs) => {
    const stream = watch(requestedMs);
    await next(stream);
    expect(ticker.intervalsMs).toEqual([usedMs]);
    stream.on('error', () => undefined).cancel();
  });

  it.each([1, 99, 60_001])('refuses an interval of %d ms', async (intervalMs) => {
    expect(readRefusal(await failure(watch(intervalMs)))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      reason: 'INVALID_FIELD',
      field: 'interval_ms',
    });
    expect(watchOutcomes()).toMatchObject({ count: 1, errorsByReason: { 'INVALID_ARGUMENT/INVALID_FIELD': 1 } });
  });

  it('stops making messages for a reader that does not read', async () => {
    for (let k = 0; k < 50; k += 1) metrics.requestEnded(`a type that fills the message ${k}`, 'OK', 1);
    const stream = watch();
    await next(stream);
    stream.pause();
    const tickALot = async (): Promise<number> => {
      const before = service.reads;
      for (let k = 0; k < 300; k += 1) {
        ticker.tick();
        await turn();
      }
      return service.reads - before;
    };
    await tickALot();
    expect(await tickALot()).toBe(0);
    stream.resume();
    await until(async () => (await tickALot()) > 0, { what: 'messages once it service.reads again' });
    stream.on('error', () => undefined).cancel();
  });

  it('ends without a counted error when the caller cancels', async () => {
    const stream = watch();
    await next(stream);
    stream.cancel();
    expect((await failure(stream)).code).toBe(grpc.status.CANCELLED);
    await until(() => ticker.running === 0, WATCH_ENDED);
    expect(watchOutcomes()).toMatchObject({ count: 1, errors: 0 });
  });

  it('ends without a counted error when the deadline of the caller passes', async () => {
    await service.get(); // it is connected now
    const error = await failure(watch(0, { deadline: Date.now() + 300 }));
    expect(error.code).toBe(grpc.status.DEADLINE_EXCEEDED);
    await until(() => ticker.running === 0, WATCH_ENDED);
    expect(watchOutcomes()).toMatchObject({ count: 1, errors: 0 });
  });

  it('ends with DRAINING when the server drains', async () => {
    const stream = watch();
    await next(stream);
    const ended = failure(stream);
    drain.abort();
    await service.drained();
    expect(readRefusal(await ended)).toMatchObject({ code: 'UNAVAILABLE', reason: 'DRAINING' });
    expect([ticker.running, watchOutcomes()]).toMatchObject([0, { count: 1, errors: 1 }]);
  });

  it('is refused while the server drains', async () => {
    drain.abort();
    expect(readRefusal(await failure(watch()))).toMatchObject({ code: ERROR_KINDS.DRAINING.code, reason: 'DRAINING' });
  });

  it('is refused above the maximum number of watchers', async () => {
    const open = Array.from({ length: MAX_WATCHERS }, () => watch().on('error', () => undefined));
    await until(() => ticker.running === MAX_WATCHERS, { what: 'all watches to begin' });
    expect(readRefusal(await failure(watch()))).toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'ROUTER_FULL' });
    for (const stream of open) stream.cancel();
    await until(() => ticker.running === 0, WATCH_ENDED);
    const stream = watch();
    await next(stream);
    stream.on('error', () => undefined).cancel();
  });

  it('ends with INTERNAL and reports it if reading the metrics fails', async () => {
    const stream = watch();
    await next(stream);
    const ended = failure(stream);
    sources.inFlight = () => {
      throw new TypeError('a bug');
    };
    ticker.tick();
    expect(readRefusal(await ended)).toMatchObject({ code: 'INTERNAL', reason: 'INTERNAL' });
    expect([ticker.running, internal.length]).toEqual([0, 1]);
  });

  it('is limited to 64 callers', () => {
    expect(MAX_WATCHERS).toBe(64);
  });

  describe('by the clock of the machine', () => {
    beforeEach(() => void jest.useFakeTimers({ doNotFake: ['performance'] }));
    afterEach(() => void jest.useRealTimers());

    it('sends a message at each interval until its caller leaves, and says how long it took to make', () => {
      const options = { onInternalError: () => undefined, observer: silent, drained: drain.signal };
      const call = new FakeCall<WatchMetricsResponse>();
      new Watches(() => ({}) as MetricsMessage, options).begin(call, { intervalMs: 100 });
      const counts = [99, 1, 100].map((ms) => {
        jest.advanceTimersByTime(ms);
        return call.answers.length;
      });
      call.cut();
      jest.advanceTimersByTime(1_000);
      expect([counts, call.answers.length, jest.getTimerCount()]).toEqual([[1, 2, 3], 3, 0]);
      const elapsedMs = performance.now() - call.startedMs;
      expect(call.answers.every(({ processingTimeMs: ms }) => ms >= 0 && ms <= elapsedMs)).toBe(true);
    });

    it('sends nothing after the deadline of its caller', () => {
      const options = { onInternalError: () => undefined, observer: silent, drained: drain.signal };
      const call = new FakeCall<WatchMetricsResponse>();
      call.deadlineMs = performance.now() - 1;
      new Watches(() => ({}) as MetricsMessage, options).begin(call, { intervalMs: 100 });
      jest.advanceTimersByTime(500);
      call.cut();
      expect(call.answers).toHaveLength(1);
    });
  });
});
