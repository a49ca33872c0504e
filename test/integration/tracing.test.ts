// The trace of a request through the router, with real sidecars, and a collector over real gRPC.
import { once } from 'node:events';
import * as grpc from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Span } from '../../services/core/span.ts';
import { newSpanId, newTraceId } from '../../services/core/trace-parent.ts';
import {
  ExportTraceServiceRequest,
  TraceServiceClient,
} from '../../services/generated/opentelemetry/proto/collector/trace/v1/trace_service.ts';
import {
  ReasonRequest,
  type ReasonResponse,
  ReasonStreamRequest,
  type ReasonStreamResponse,
} from '../../services/generated/tandem/v1/reasoning.ts';
import { CacheMode, Strategy } from '../../services/generated/tandem/v1/types.ts';
import { FakeCollector } from '../fakes/fake-collector.ts';
import { flipDigestBit } from '../fakes/lying-engine.ts';
import { promised } from '../support/promised.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';
import { Fleet, Inputs } from './router-table/fleet.ts';

const NAME = 'tandem.v1.ReasoningService/Reason';
const ENGINES = ['one', 'two', 'three'] as const;
const inputs = new Inputs();

let fleet: Fleet<(typeof ENGINES)[number]>;
let collector: FakeCollector;
let system: System;

beforeAll(async () => {
  fleet = await Fleet.start(ENGINES);
});

afterAll(async () => {
  await fleet.stop();
});

beforeEach(async () => {
  collector = await new FakeCollector().start();
});

afterEach(async () => {
  fleet.behave();
  await system.stop();
  collector.stop();
  for (const name of Object.keys(process.env)) if (name.startsWith('OTEL_')) Reflect.deleteProperty(process.env, name);
});

async function start(over: Record<string, unknown> = {}, otel: Record<string, string> = {}): Promise<void> {
  Object.assign(process.env, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_BSP_SCHEDULE_DELAY: '20',
    ...otel,
  });
  system = await startSystem({
    local: { enabled: false },
    sidecars: fleet.settings,
    spawn: { count: 0 },
    tracing: { ratio: 0, slow_ms: 0 },
    ...over,
  });
}

interface Caller {
  readonly traceId: string;
  readonly spanId: string;
  readonly metadata: grpc.Metadata;
}

/** A caller that samples, and passes on a tracestate. */
function caller(flags = '01'): Caller {
  const [traceId, spanId] = [newTraceId(), newSpanId()];
  const metadata = new grpc.Metadata();
  metadata.set('traceparent', `00-${traceId}-${spanId}-${flags}`);
  metadata.set('tracestate', 'vendor=1');
  return { traceId, spanId, metadata };
}

function reason(request: Partial<ReasonRequest>, metadata = new grpc.Metadata()): Promise<ReasonResponse> {
  return promised((done) => system.client.reason(ReasonRequest.fromPartial(request), metadata, done));
}

/** Resolves when they have arrived there. */
function collected(traceId: string): Promise<Span[]> {
  return until(
    () => {
      const spans = collector.spans.filter((span) => span.traceId === traceId);
      return spans.some(({ name }) => name.startsWith('tandem.v1.')) ? spans : undefined;
    },
    { what: `trace ${traceId} at the collector` },
  ) as Promise<Span[]>;
}

const named = (spans: readonly Span[], name: string): Span[] => spans.filter((span) => span.name === name);

describe('a sampled request', () => {
  it('with a vote is a tree: cache, and a ballot of each engine, under its caller’s span', async () => {
    await start({ vote: { agreement: 'UNANIMOUS' } }); // a majority needs not all ballots, and one of them may be asked again
    const { traceId, spanId, metadata } = caller();
    const answer = await reason(inputs.request({ strategy: Strategy.STRATEGY_REDUNDANT }), metadata);
    expect(answer.traceId).toBe(traceId);

    const spans = await collected(traceId);
    const [root] = named(spans, NAME);
    expect(root).toMatchObject({ parentSpanId: spanId, kind: 'SERVER', service: 'tandem-router', error: '' });
    expect(root?.attributes).toMatchObject({
      'rpc.system.name': 'grpc',
      'rpc.method': NAME,
      'rpc.response.status_code': 'OK',
      'tandem.model': 'supersense/1',
      'tandem.strategy': 'REDUNDANT',
      'tandem.cache': 'MISS',
      'tandem.digest': answer.stateDigest.toString(16).padStart(16, '0'),
    });
    const children = spans.filter(({ parentSpanId }) => parentSpanId === root?.spanId);
    expect(children.map(({ name }) => name).sort()).toEqual(['ballot one', 'ballot three', 'ballot two', 'cache']);
    const ballots = children.filter(({ name }) => name.startsWith('ballot '));
    expect(ballots.map(({ attributes }) => attributes['tandem.engine']).sort()).toEqual(['one', 'three', 'two']);
    for (const { kind, attributes, startMs, durationMs } of ballots) {
      expect([kind, attributes['tandem.engine_kind']]).toEqual(['CLIENT', 'sidecar']);
      expect(startMs).toBeGreaterThanOrEqual(root!.startMs);
      expect(startMs + durationMs).toBeLessThanOrEqual(root!.startMs + root!.durationMs + 0.01);
    }
    expect(JSON.stringify(spans)).not.toContain('"data"');
    const sent = collector.requests.flatMap(({ resourceSpans }) => resourceSpans);
    expect(sent[0]?.scopeSpans[0]?.spans[0]?.traceState).toBe('vendor=1');
    expect(system.traces.spans(traceId).map(({ name }) => name)).toContain(NAME);
  });

  it('passes its span on to each engine, and an unsampled one does not', async () => {
    await start({ sidecars: fleet.settings.slice(0, 1) });
    const { traceId, metadata } = caller();
    const seen: string[] = [];
    fleet.front('one').lie = (_truth, { traceParent }) => {
      seen.push(Buffer.from(traceParent).toString('hex'));
      return undefined; // the truth
    };
    await reason(inputs.request(), metadata);
    await reason(inputs.request(), caller('00').metadata);
    const [attempt] = named(await collected(traceId), 'attempt one');
    expect(seen).toEqual([`${traceId}${attempt?.spanId}01`, '']);
  });

  it('of the local engine shows its computing time', async () => {
    await start({ local: { enabled: true }, sidecars: [] });
    const { traceId, metadata } = caller();
    await reason(inputs.request(), metadata);
    const spans = await collected(traceId);
    const [attempt] = named(spans, 'attempt local');
    expect(attempt?.attributes).toMatchObject({ 'tandem.engine': 'local', 'tandem.engine_kind': 'local' });
    expect(named(spans, 'compute')).toMatchObject([{ parentSpanId: attempt?.spanId }]);
  });

  it('with the answer of an equal request names the trace of that request', async () => {
    await start({ sidecars: fleet.settings.slice(0, 1) });
    fleet.front('one').delayMs = 100;
    const [leader, follower] = [caller(), caller()];
    const request = inputs.request();
    await Promise.all([reason(request, leader.metadata), reason(request, follower.metadata)]);
    const roots = [...(await collected(leader.traceId)), ...(await collected(follower.traceId))].filter(
      ({ name }) => name === NAME,
    );
    const coalesced = roots.find(({ attributes }) => attributes['tandem.cache'] === 'COALESCED');
    const other = coalesced?.traceId === leader.traceId ? follower : leader;
    expect(coalesced?.attributes['tandem.leader_trace_id']).toBe(other.traceId);
  });

  it('in a batch is one for each item', async () => {
    await start();
    const { traceId, spanId, metadata } = caller();
    const requests = [inputs.request(), inputs.request()].map((each) => ReasonRequest.fromPartial(each));
    const results = await new Promise<string[]>((resolve, reject) => {
      system.client.reasonBatch({ requests }, metadata, (error, response) =>
        error
          ? reject(error)
          : resolve(response.results.map(({ outcome }) => (outcome as { value: ReasonResponse }).value.traceId)),
      );
    });
    expect(results).toEqual([traceId, traceId]);
    const items = await until(
      () => {
        const found = named(collector.spans, 'tandem.v1.ReasoningService/ReasonBatch.item');
        return found.length === 2 ? found : undefined;
      },
      { what: 'both items' },
    );
    for (const item of items!) expect(item).toMatchObject({ traceId, parentSpanId: spanId });
  });
});

describe('a sampled stream', () => {
  it('has a request for each of its items', async () => {
    await start();
    const { traceId, spanId, metadata } = caller();
    const call = system.client.reasonStream(metadata);
    const answered = once(call, 'data') as Promise<[ReasonStreamResponse]>;
    call.write(ReasonStreamRequest.fromPartial({ request: inputs.request() }));
    const [{ outcome }] = await answered;
    call.end();
    expect((outcome?.value as ReasonResponse).traceId).toBe(traceId);
    const [item] = named(await collected(traceId), 'tandem.v1.ReasoningService/ReasonStream.item');
    expect(item).toMatchObject({ traceId, parentSpanId: spanId });
  });
});

describe('outside the sample', () => {
  it('an answer has the id of its trace, and nothing is kept', async () => {
    await start();
    const { traceId, metadata } = caller('00');
    expect((await reason(inputs.request(), metadata)).traceId).toBe(traceId);
    expect((await reason(inputs.request())).traceId).toMatch(/^[0-9a-f]{32}$/);
    expect([system.traces.recent(10), system.tracing.counts.left]).toEqual([[], 2]);
  });

  it('a failure is kept, with its attempts', async () => {
    await start({ sidecars: fleet.settings.slice(0, 2), retry: { max_attempts: 2 } });
    fleet.front('one').failWith = 'ENGINE_FAULT';
    fleet.front('two').failWith = 'ENGINE_FAULT';
    const { traceId, metadata } = caller('00');
    await expect(reason(inputs.request({ cache: CacheMode.CACHE_MODE_BYPASS }), metadata)).rejects.toThrow();
    const spans = await collected(traceId);
    const [root] = named(spans, NAME);
    expect(root?.error).toMatch(/^NO_ENGINE: /);
    expect(root?.attributes).toMatchObject({ 'error.type': 'NO_ENGINE', 'rpc.response.status_code': 'UNAVAILABLE' });
    for (const name of ['attempt one', 'attempt two']) expect(named(spans, name)[0]?.error).toBe('ENGINE_FAULT');
    expect(system.traces.recent(1)).toMatchObject([{ traceId, error: root?.error, spans: spans.length }]);
  });

  it('a dispute is kept, with the answer of each engine', async () => {
    await start({ quarantine: { dissents: 1 } });
    for (const id of ENGINES) fleet.front(id).delayMs = 50; // so that the lying engine answers in time
    fleet.front('two').lie = flipDigestBit;
    const { traceId, metadata } = caller('00');
    await reason(inputs.request({ strategy: Strategy.STRATEGY_REDUNDANT }), metadata);
    const [root] = named(await collected(traceId), NAME);
    // The first difference may be known before the request ends, or after it.
    expect(root?.events.map(({ name }) => name).slice(0, 2)).toEqual(['dispute', 'quarantine']);
    expect(root?.events[0]?.attributes).toMatchObject({ 'tandem.verdict': 'MAJORITY', 'tandem.wrong': 'two' });
    expect(root?.events[1]?.attributes).toEqual({ 'tandem.engine': 'two' });
  });

  it('an audit that later finds a wrong answer keeps its trace', async () => {
    await start({ vote: { audit_rate: 1 }, quarantine: { dissents: 1_000 } });
    for (const id of ENGINES) fleet.front(id).lie = id === 'one' ? flipDigestBit : undefined;
    const ids = await Promise.all([1, 2, 3].map(async () => (await reason(inputs.request())).traceId));
    const trace = await until(() => system.traces.recent(1)[0], {
      what: 'the trace of an audited request',
    });
    expect(ids).toContain(trace?.traceId);
    expect(named(system.traces.spans(trace!.traceId), NAME)[0]?.events).toMatchObject([
      { name: 'dispute', attributes: { 'tandem.verdict': 'AUDIT_DISPUTED' } },
    ]);
  });

  it('the failure that opens a breaker has an event for it', async () => {
    await start({ sidecars: fleet.settings.slice(0, 2), breaker: { min_requests: 1, reset_ms: 60_000 } });
    fleet.front('one').failWith = 'ENGINE_FAULT';
    for (let n = 0; n < 4; n += 1) await reason(inputs.request());
    const opened = system.traces
      .recent(10)
      .flatMap(({ traceId }) => system.traces.spans(traceId))
      .flatMap(({ events }) => events);
    expect(opened).toMatchObject([{ name: 'breaker opened', attributes: { 'tandem.engine': 'one' } }]);
  });

  it('a slow request is kept', async () => {
    await start({ tracing: { ratio: 0, slow_ms: 50 } });
    for (const id of ENGINES) fleet.front(id).delayMs = 60;
    const { traceId } = await reason(inputs.request());
    expect(await collected(traceId)).not.toHaveLength(0);
  });
});

describe('OTEL_TRACES_SAMPLER', () => {
  it('overrides the settings', async () => {
    await start({}, { OTEL_TRACES_SAMPLER: 'always_on' });
    const { traceId, metadata } = caller('00');
    await reason(inputs.request(), metadata);
    expect(await collected(traceId)).not.toHaveLength(0);
  });
});

describe('a collector that never answers', () => {
  it('affects no request; lost spans are counted', async () => {
    collector.isBlackHole = true;
    const limits = { OTEL_BSP_MAX_QUEUE_SIZE: '64', OTEL_EXPORTER_OTLP_TIMEOUT: '300' };
    await start({ tracing: { ratio: 1 } }, limits);
    const answers = await Promise.all(Array.from({ length: 100 }, () => reason(inputs.request())));
    expect(answers).toHaveLength(100);
    const { dropped, queued } = system.exported()!;
    expect(dropped).toBeGreaterThan(0);
    expect(queued).toBeLessThanOrEqual(64);
    const made = system.traces.stats.spans;
    expect(made).toBeGreaterThanOrEqual(300);
    await until(() => system.exported()!.failed + system.exported()!.dropped === made, {
      what: 'every span accounted for',
    });
    expect(system.exported()!.exported).toBe(0);
  });

  it('has the same effect as one that does not exist', async () => {
    collector.stop();
    await start({ tracing: { ratio: 1 } }, { OTEL_EXPORTER_OTLP_TIMEOUT: '300' });
    await reason(inputs.request());
    await until(() => system.exported()!.failed > 0, { what: 'the spans to be given up' });
  });

  it('gets the next spans when it works again', async () => {
    collector.stop();
    await start({ tracing: { ratio: 1 } }, { OTEL_EXPORTER_OTLP_TIMEOUT: '300' });
    await reason(inputs.request());
    await until(() => system.exported()!.failed > 0, { what: 'the spans to be given up' });
    await collector.start();
    await until(
      async () => {
        await reason(inputs.request());
        return system.exported()!.exported > 0;
      },
      { what: 'spans at the collector' },
    );
  });
});

describe('spans of the router’s own sidecars', () => {
  it('are added to its own, and sent to the collector', async () => {
    await start();
    const { traceId, metadata } = caller();
    await reason(inputs.request(), metadata);
    const attempt = (await collected(traceId)).find(({ name }) => name.startsWith('attempt '));
    const client = new TraceServiceClient(system.spansTo!.replace('http://', ''), grpc.credentials.createInsecure());
    const text = (key: string, value: string): object => ({ key, value: { value: { $case: 'stringValue', value } } });
    const at = BigInt(Date.now()) * 1_000_000n;
    const span = {
      ...{ traceId: Buffer.from(traceId, 'hex'), spanId: Buffer.from(newSpanId(), 'hex') },
      ...{ parentSpanId: Buffer.from(attempt!.spanId, 'hex'), name: 'infer', kind: 2 },
      ...{ startTimeUnixNano: at, endTimeUnixNano: at + 1_500_000n, attributes: [text('tandem.batch_size', '3')] },
    };
    const resource = { attributes: [text('service.name', 'tandem-engine'), text('service.instance.id', 'engine-1')] };
    const broken = { ...span, traceId: Buffer.alloc(16) };
    const request = ExportTraceServiceRequest.fromPartial({
      resourceSpans: [{ resource, scopeSpans: [{ spans: [span, broken] }] }],
    } as never);
    await new Promise<void>((resolve, reject) => {
      client.export(request, (error) => (error ? reject(error) : resolve()));
    });
    client.close();
    const expected = { name: 'infer', service: 'tandem-engine', instance: 'engine-1', durationMs: 1.5, kind: 'SERVER' };
    expect(named(system.traces.spans(traceId), 'infer')).toMatchObject([
      { ...expected, parentSpanId: attempt!.spanId },
    ]);
    expect(system.traces.recent(1)[0]?.services).toEqual(['tandem-router', 'tandem-engine']);
    await until(() => named(collector.spans, 'infer').length > 0, { what: 'the sidecar’s span at the collector' });
    expect(named(collector.spans, 'infer')).toMatchObject([expected]);
  });
});
