// Our spans in a real Jaeger: one tree for a request, from the caller's span down to each engine's computation.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ReasoningServiceClient } from '../../services/generated/tandem/v1/reasoning.ts';
import { CacheMode, Strategy } from '../../services/generated/tandem/v1/types.ts';
import { flipDigestBit } from '../fakes/lying-engine.ts';
import { Fleet, Inputs } from '../integration/router-table/fleet.ts';
import { type RouterProcess, startRouter } from '../support/router-process.ts';
import { StreamCaller } from '../support/stream-caller.ts';
import { until } from '../support/until.ts';
import { type JaegerSpan, childrenOf, misfits, only, outline } from './jaeger-span.ts';
import { Jaeger } from './jaeger.ts';
import { CLIENT, CLIENT_SPAN, TracedClient } from './traced-client.ts';

jest.setTimeout(60_000); // it starts routers with their engines

const REASON = 'tandem.v1.ReasoningService/Reason';
const ENGINES = ['engine-1', 'engine-2', 'engine-3'] as const;
/** The allowed difference of clocks of programs on one machine. */
const TOLERANCE_NS = 1_000_000n;
/** All must answer: if a majority were enough, the slowest might be cancelled. */
const VOTE = { strategy: 'REDUNDANT', vote: { participants: 3, agreement: 'UNANIMOUS' } };
const REQUESTS = 20;

const inputs = new Inputs();
const fresh = (): ReturnType<Inputs['request']> => inputs.request({ cache: CacheMode.CACHE_MODE_BYPASS });

let jaeger: Jaeger;

beforeAll(async () => {
  jaeger = await Jaeger.start();
});

afterAll(async () => {
  await jaeger.stop();
});

/** Like a user's setup of OpenTelemetry, except for the delay before spans are sent. */
function otel(over: Record<string, string> = {}): Record<string, string> {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.grpcEndpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_BSP_SCHEDULE_DELAY: '50',
    ...over,
  };
}

/** Like `npm start`, with this number of C++ sidecars and no other engine. */
function startWithSidecars(
  count: number,
  settings: Record<string, unknown> = {},
  env: Record<string, string> = {},
): Promise<RouterProcess> {
  const spawn = { count, socket_dir: mkdtempSync(join(tmpdir(), 'tandem-jaeger-')) };
  return startRouter({ local: { enabled: false }, spawn, ...settings }, otel(env));
}

const named = (spans: readonly JaegerSpan[], start: string): JaegerSpan[] =>
  spans.filter(({ name }) => name.startsWith(start));

describe('a request through REDUNDANT', () => {
  let router: RouterProcess;
  let client: TracedClient;
  let digest: string;
  let traceId: string;
  let spans: JaegerSpan[];

  beforeAll(async () => {
    const env = { OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test' };
    router = await startWithSidecars(3, VOTE, env);
    client = new TracedClient(router.address, jaeger.grpcEndpoint);
    const answer = await client.reason(inputs.request());
    ({ traceId } = answer);
    digest = answer.stateDigest.toString(16).padStart(16, '0');
    spans = await jaeger.whole(traceId, 16);
  });

  afterAll(async () => {
    await client.stop();
    await router.stop();
  });

  it('is one tree: client, router, three ballots, and the engine’s spans below each ballot', () => {
    expect(`\n${outline(spans)}\n`).toBe(`
my-client: ask tandem
  tandem-router: tandem.v1.ReasoningService/Reason
    ballot engine-1
      tandem-engine: tandem.engine.infer
        compute
        queue
    ballot engine-2
      tandem-engine: tandem.engine.infer
        compute
        queue
    ballot engine-3
      tandem-engine: tandem.engine.infer
        compute
        queue
    cache
    queue
`);
  });

  it('has the request and its outcome in the router’s span', () => {
    const request = only(spans, REASON);
    expect(request).toMatchObject({ kind: 'SERVER', error: '' });
    expect(request.attributes).toMatchObject({
      'rpc.system.name': 'grpc',
      'rpc.method': REASON,
      'rpc.response.status_code': 'OK',
      'tandem.model': 'supersense/1',
      'tandem.strategy': 'REDUNDANT',
      'tandem.grade': 'UNANIMOUS',
      'tandem.cache': 'MISS',
      'tandem.digest': digest,
    });
  });

  it.each(ENGINES)('has the ballot of %s, with that engine’s own spans', (id) => {
    const ballot = only(spans, `ballot ${id}`);
    expect(ballot).toMatchObject({ kind: 'CLIENT', error: '' });
    expect(ballot.attributes).toMatchObject({
      'tandem.engine': id,
      'tandem.engine_kind': 'sidecar',
      'tandem.outcome': 'OK',
      'tandem.digest': digest,
    });
    const [infer] = childrenOf(spans, ballot);
    expect(infer).toMatchObject({ kind: 'SERVER', error: '' });
    expect(infer?.resource).toMatchObject({ 'service.name': 'tandem-engine', 'service.instance.id': id });
    expect(infer?.attributes).toMatchObject({ 'tandem.batch_size': 1, 'tandem.digest': digest });
  });

  it('gives for each program its host, and the user’s attributes for all', () => {
    const programs = [only(spans, REASON), ...named(spans, 'tandem.engine.infer')].map(({ resource }) => resource);
    const [router] = programs;
    expect(router?.['host.name']).toMatch(/./);
    for (const resource of programs) {
      expect(resource).toMatchObject({
        'deployment.environment.name': 'test',
        'host.name': router?.['host.name'],
      });
    }
  });

  it('has consistent times: a span that begins within its parent ends within it', () => {
    expect(misfits(spans, TOLERANCE_NS)).toEqual([]);
    for (const compute of named(spans, 'compute')) expect(compute.endNs).toBeGreaterThan(compute.startNs);
  });

  it('causes no warning of Jaeger', () => {
    expect(spans.flatMap(({ warnings }) => warnings)).toEqual([]);
  });

  it('contains only sizes, names and digests of inputs and answers', () => {
    const names = new Set(spans.flatMap(({ attributes }) => Object.keys(attributes)));
    expect([...names].sort()).toEqual([
      ...['rpc.method', 'rpc.response.status_code', 'rpc.system.name'],
      ...['tandem.batch_size', 'tandem.cache', 'tandem.compute_us', 'tandem.digest', 'tandem.engine'],
      ...['tandem.engine_kind', 'tandem.grade', 'tandem.model', 'tandem.model_version', 'tandem.outcome'],
      ...['tandem.queue_us', 'tandem.steps', 'tandem.strategy', 'tandem.synaptic_operations', 'tandem.total_spikes'],
    ]);
  });

  it('is found by its digest, and all programs by their names', async () => {
    expect(await jaeger.find('tandem-router', { 'tandem.digest': digest })).toEqual([traceId]);
    expect(await jaeger.services()).toEqual(expect.arrayContaining([CLIENT, 'tandem-engine', 'tandem-router']));
  });
});

describe('many requests at once over the same two engines', () => {
  const TREE = (root: string): RegExp =>
    new RegExp(
      `^${root}
 +attempt engine-[12]
 +tandem-engine: tandem.engine.infer
 +compute
 +queue
 +cache
 +queue$`,
    );
  let router: RouterProcess;

  beforeAll(async () => {
    router = await startWithSidecars(2, { strategy: 'ROUND_ROBIN' }, { OTEL_TRACES_SAMPLER: 'parentbased_always_on' });
  });

  afterAll(async () => {
    await router.stop();
  });

  async function expectTrees(traceIds: readonly string[], root: string, spans: number): Promise<void> {
    expect(new Set(traceIds).size).toBe(REQUESTS);
    for (const traceId of traceIds) {
      const found = await jaeger.whole(traceId, spans);
      expect(outline(found)).toMatch(TREE(root));
      expect(misfits(found, TOLERANCE_NS)).toEqual([]);
      expect(named(found, 'attempt')[0]?.attributes['tandem.digest']).toBe(
        only(found, 'tandem.engine.infer').attributes['tandem.digest'],
      );
    }
  }

  it('have a tree each, below their callers’ spans', async () => {
    const client = new TracedClient(router.address, jaeger.grpcEndpoint);
    const answers = await Promise.all(Array.from({ length: REQUESTS }, () => client.reason(fresh())));
    await client.stop();
    const ids = answers.map(({ traceId }) => traceId);
    await expectTrees(ids, `${CLIENT}: ${CLIENT_SPAN}\n +tandem-router: ${REASON}`, 8);
  });

  it('have a tree each in one ReasonStream, without a span of their caller', async () => {
    const client = new ReasoningServiceClient(router.address, grpc.credentials.createInsecure());
    const caller = new StreamCaller(client);
    for (let sent = 0; sent < REQUESTS; sent += 1) caller.send(fresh());
    caller.end();
    await caller.ended;
    client.close();
    const ids = caller.answers.map(({ outcome }) => (outcome?.$case === 'result' ? outcome.value.traceId : ''));
    await expectTrees(ids, 'tandem-router: tandem.v1.ReasoningService/ReasonStream.item', 7);
  });
});

describe('with tracing.layers', () => {
  it('an engine reports the time of every node, within its computation', async () => {
    const router = await startWithSidecars(1, { tracing: { layers: true } });
    const client = new TracedClient(router.address, jaeger.grpcEndpoint);
    const { traceId } = await client.reason(fresh());
    const spans = await jaeger.whole(traceId, 14);
    await client.stop();
    await router.stop();
    const compute = only(spans, 'compute');
    const nodes = childrenOf(spans, compute).map(({ name, attributes }) => `${name} ${attributes['tandem.node_type']}`);
    expect(nodes.sort()).toEqual([
      ...['affine1 Affine', 'affine2 Affine', 'classes LIF', 'hidden LIF', 'input Input', 'output Output'],
    ]);
    expect(misfits(spans, TOLERANCE_NS)).toEqual([]);
  });
});

describe('engines that report to Jaeger themselves', () => {
  let fleet: Fleet<'one' | 'two' | 'liar'>;
  let router: RouterProcess;
  let client: TracedClient;

  beforeAll(async () => {
    fleet = await Fleet.start(['one', 'two', 'liar'], 'deploy/models', { env: otel() });
    const settings = { sidecars: fleet.settings, local: { enabled: false }, quarantine: { dissents: 1 } };
    router = await startRouter({ ...settings, strategy: 'REDUNDANT', vote: { participants: 3 } }, otel());
    client = new TracedClient(router.address, jaeger.grpcEndpoint);
  });

  afterAll(async () => {
    await client.stop();
    await router.stop();
    await fleet.stop();
  });

  it('are also below their ballots, and a lie is an event of its request', async () => {
    for (const { front } of fleet.members.values()) front.delayMs = 50; // so that the lying engine answers in time
    fleet.front('liar').lie = flipDigestBit;
    const { traceId } = await client.reason(inputs.request({ strategy: Strategy.STRATEGY_REDUNDANT }));
    const spans = await jaeger.whole(traceId, 16);
    for (const id of ['one', 'two', 'liar']) {
      const below = childrenOf(spans, only(spans, `ballot ${id}`));
      expect(below.map(({ name }) => name)).toEqual(['tandem.engine.infer']);
    }
    expect(only(spans, REASON).events).toMatchObject([
      { name: 'dispute', attributes: { 'tandem.verdict': 'MAJORITY', 'tandem.wrong': 'liar' } },
      { name: 'quarantine', attributes: { 'tandem.engine': 'liar' } },
    ]);
    expect(spans.flatMap(({ warnings }) => warnings)).toEqual([]);
  });

  it('have a failed span in the tree if one is lost, beside the one that answered', async () => {
    fleet.behave();
    fleet.front('one').failWith = 'ENGINE_FAULT';
    const failed = await until(
      async () => {
        const { traceId } = await client.reason(inputs.request({ strategy: Strategy.STRATEGY_ROUND_ROBIN }));
        const spans = await jaeger.whole(traceId, 9);
        return spans.some(({ name }) => name === 'attempt one') ? spans : undefined;
      },
      { what: 'a request that is sent to the engine that fails', timeoutMs: 20_000 },
    );
    expect(only(failed!, 'attempt one')).toMatchObject({ error: 'ENGINE_FAULT' });
    expect(only(failed!, REASON)).toMatchObject({ error: '' });
    expect(
      named(failed!, 'attempt ')
        .map(({ error }) => error)
        .sort(),
    ).toEqual(['', 'ENGINE_FAULT']);
  });
});
