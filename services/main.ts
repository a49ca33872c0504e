// The composition root: nothing else wires parts together.
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { reasonJson } from './api/reason-json.ts';
import { ApiServer } from './api/server.ts';
import { decodeSpan } from './api/otlp-span.ts';
import { SpanReceiver } from './api/span-receiver.ts';
import { AnswerCache } from './cache/answer-cache.ts';
import type { KeptOptions } from './cache/kept-answers.ts';
import { type OtelSettings, readOtel, sidecarEnvironment } from './config/otel.ts';
import { otlpMetrics } from './config/otlp-metrics.ts';
import { type Settings, sidecarSchema } from './config/schema.ts';
import type { EncodedSpan, SpanSource } from './core/encoded-span.ts';
import { RouterError } from './core/errors.ts';
import { hex64 } from './core/hex.ts';
import type { Observer } from './core/observer.ts';
import type { BreakerOptions } from './engines/breaker.ts';
import { HttpServer } from './dashboard/http-server.ts';
import { Recent } from './dashboard/recent.ts';
import type { DashboardSources, DisputeView } from './dashboard/sources.ts';
import { Discovery, type DiscoveryEvents, type Lookup, systemLookup } from './engines/discovery.ts';
import type { Engine } from './engines/engine.ts';
import { LocalEngine } from './engines/local/local-engine.ts';
import { EnginePool, type PoolEvents } from './engines/pool.ts';
import type { PooledEngine } from './engines/pooled-engine.ts';
import { type KnownAnswer, Quarantine, type QuarantineOptions } from './engines/quarantine.ts';
import { SidecarEngine } from './engines/sidecar/sidecar-engine.ts';
import { type SupervisedSidecar, Supervisor, type SupervisorEvents } from './engines/supervisor.ts';
import { ModelRepository } from './models/repository.ts';
import { type Answer, sizeOf } from './routing/answer.ts';
import { Admission } from './routing/admission.ts';
import { Audit } from './routing/audit.ts';
import type { Dispute } from './routing/dispute.ts';
import { LatencyQuantile } from './routing/latency-quantile.ts';
import { RetryBudget } from './routing/retry-budget.ts';
import { Router, type RouterOptions } from './routing/router.ts';
import { type AlertOptions, Alerts } from './telemetry/alerts.ts';
import { ClientConnections } from './telemetry/connections.ts';
import { DisputeLog } from './telemetry/dispute-log.ts';
import { EventLog } from './telemetry/event-log.ts';
import type { Log } from './telemetry/log.ts';
import { Meter } from './telemetry/meter.ts';
import { Metrics } from './telemetry/metrics.ts';
import { startOtlpMetrics } from './telemetry/otlp-metrics.ts';
import { Prometheus } from './telemetry/prometheus.ts';
import { SnapshotFile } from './telemetry/snapshot-file.ts';
import type { ExportCounts, SpanExporter } from './telemetry/span-exporter.ts';
import { SystemEvents } from './telemetry/system-events.ts';
import { TraceRing } from './telemetry/trace-ring.ts';
import { SERVICE, Tracing } from './telemetry/tracing.ts';

/** At a stop: a collector that is away must not hold up a restart. */
const LAST_SPANS_MS = 2_000;

/** Kept for the dashboard. */
const MAX_RECENT_DISPUTES = 200;

const ROOT = join(import.meta.dirname, '..');

export interface Tandem {
  /** Bound address of the gRPC server. */
  readonly address: string;
  /** Bound address of the dashboard; empty: there is none. */
  readonly httpAddress: string;
  readonly pool: EnginePool;
  readonly supervisors: readonly Supervisor[];
  readonly prometheus: Prometheus;
  readonly traces: TraceRing;
  readonly tracing: Tracing;
  /** Undefined: spans are sent nowhere. */
  exported(): ExportCounts | undefined;
  /** Where sidecars send theirs, as OTEL_EXPORTER_OTLP_ENDPOINT has it; undefined: nowhere. */
  readonly spansTo: string | undefined;
  /** Refuses new work, finishes what is in flight, then stops everything that was started. */
  stop(): Promise<void>;
}

/** What a test may replace of the world outside. */
export interface Surroundings {
  readonly lookup?: Lookup;
}

/** Starts everything that `settings` asks for; resolves when the router answers. */
export async function start(
  settings: Settings,
  log: Log,
  onSidecarLine: (line: string) => void = (line) => process.stderr.write(`${line}\n`),
  { lookup = systemLookup }: Surroundings = {},
): Promise<Tandem> {
  const models = ModelRepository.read(settings.models_dir, settings.default_model);
  const metrics = new Metrics();
  const connections = new ClientConnections();
  const { max_events: maxEvents, max_bytes: maxEventBytes } = settings.events;
  const eventLog = new EventLog({ maxEvents, maxBytes: maxEventBytes, observer: metrics });
  const system = new SystemEvents(log, eventLog);
  const otel = readOtel(settings.tracing.ratio);
  for (const warning of otel.warnings) log.warn(warning);
  const traces = new TraceRing(decodeSpan);
  const source: SpanSource = { resource: undefined, service: SERVICE, instance: hostname() };
  const exporter = await spanExporter(settings, otel, source, log);
  const onSpans = (spans: readonly EncodedSpan[]): void => {
    traces.add(spans);
    exporter?.export(spans);
  };
  const tracing = new Tracing({
    enabled: settings.tracing.enabled,
    sampler: otel.sampler ?? { isParentBased: true, ratio: settings.tracing.ratio },
    slowMs: settings.tracing.slow_ms,
    withLayers: settings.tracing.layers,
    source,
    onKept: onSpans,
    onEnded: ({ traceId, about, failure }, durationMs) => {
      if (!log.isLevelEnabled('debug')) return;
      log.debug(
        { trace_id: traceId, rpc: about.name, outcome: failure?.kind ?? 'OK', duration_ms: durationMs },
        'request',
      );
    },
  });
  const receiver = new SpanReceiver(onSpans);
  const spansTo = settings.tracing.enabled ? await receiver.start() : undefined;
  const spawned = spawnedSidecars(settings, sidecarEnvironment(spansTo));
  const supervisors = spawned.map((sidecar) => new Supervisor(sidecar, supervisorEvents(log, onSidecarLine)));
  const connect = (id: string, address: string): Engine => new SidecarEngine(id, address, settings.stall_timeout_ms);
  let stopping = false;
  const events: Partial<PoolEvents> = {
    engineChanged: (pooled) => {
      if (stopping) return;
      for (const discovery of discoveries) discovery.engineChanged(pooled);
      admission.serve();
      system.engineChanged(pooled);
      api.setServing(pool.engines.some((each) => each.state === 'READY'));
    },
    breakerChanged: (pooled, event) => {
      admission.serve();
      if (!stopping) system.breakerChanged(pooled, event);
    },
    engineRemoved: (pooled) => {
      metrics.forgetEngine(pooled.id);
      system.engineRemoved(pooled);
    },
    panicChanged: (event) => {
      if (!stopping) system.panicChanged(event);
    },
  };
  const { max_queue: maxQueue, max_wait_ms: maxWaitMs } = settings.overload;
  const admission = new Admission({ maxQueue, maxWaitMs });
  const pool = new EnginePool(breakerOptions(settings), events, settings.panic_percent);
  if (settings.local.enabled) {
    pool.add(new LocalEngine({ id: 'local', modelsDir: settings.models_dir, workers: settings.local.workers }));
  }
  for (const { id, address } of [...spawned, ...settings.sidecars]) pool.add(connect(id, address));
  const { targets, interval_ms: intervalMs } = settings.discovery;
  const discoveries = targets.map(
    (target) =>
      new Discovery(target, { pool, connect, lookup, intervalMs, events: discoveryEvents(log, target.address) }),
  );

  const quarantine = new Quarantine(pool, quarantineOptions(settings), (engine) => goldenOf(models, engine));
  const { file, max_bytes: maxBytes, files, input: recorded } = settings.disputes;
  const disputes = file
    ? new DisputeLog({ file, maxBytes, files, input: recorded, onProblem: (err) => log.error({ err }, 'dispute log') })
    : undefined;
  const recentDisputes = new Recent<DisputeView>(MAX_RECENT_DISPUTES);
  const onDispute = (dispute: Dispute): void => {
    const { input, strategy, wrong, verdict, ballots, right, span } = dispute;
    recentDisputes.add(toDisputeView(dispute, pool));
    const trace = span?.trace;
    const said = digests(ballots);
    trace?.event('dispute', { 'tandem.verdict': verdict, 'tandem.wrong': wrong.join(' '), 'tandem.ballots': said });
    disputes?.record({
      ...{ requestId: '', strategy, verdict, model: input.model, version: input.version },
      ...{ shape: input.shape, data: input.data },
      modelId: pool.served(input.model, input.version)?.model.modelId ?? 0n,
      ballots: ballots.map((cast) => ({
        ...cast,
        build: pool.engines.find(({ id }) => id === cast.engineId)?.build ?? '',
      })),
    });
    const told = { model: input.model, version: input.version, verdict, wrong: wrong.join(' '), ballots: said };
    system.tell('dispute', 'WARNING', 'dispute', told, trace?.traceId);
    for (const { engineId } of ballots.filter((ballot) => wrong.includes(ballot.engineId))) {
      const engine = pool.engines.find(({ id }) => id === engineId);
      if (engine === undefined || right === undefined) continue;
      const wasTrusted = engine.quarantine === '';
      quarantine.dissented(engine, { input, ...right });
      if (wasTrusted && engine.quarantine !== '') trace?.event('quarantine', { 'tandem.engine': engineId });
    }
  };
  const cache = settings.cache.enabled ? new AnswerCache<Answer>(cacheOptions(settings)) : undefined;
  const router = new Router(models, pool, cache, routerOptions(settings, metrics, admission, onDispute));
  const meter = new Meter(metrics, {
    engines: () => pool.engines,
    inFlight: () => router.inFlight,
    waiting: () => admission.waiting,
    cache: () => cache?.stats ?? { entries: 0, bytes: 0, evictions: 0 },
    connections: () => connections,
    subscribers: () => eventLog.subscribers,
    spansDropped: () =>
      tracing.counts.dropped + (exporter === undefined ? 0 : exporter.counts.dropped + exporter.counts.failed),
  });
  const { snapshot_file: snapshotFile, snapshot_interval_ms: snapshotMs } = settings.metrics;
  const snapshots = snapshotFile
    ? new SnapshotFile(meter, {
        file: snapshotFile,
        intervalMs: snapshotMs,
        onProblem: (err) => log.error({ err }, 'metrics file'),
      })
    : undefined;
  const alerts = new Alerts(
    () => meter.read(),
    alertOptions(settings),
    ({ name, isFiring, text }) => {
      system.tell('alert', isFiring ? 'WARNING' : 'INFO', isFiring ? text : `${name} is over`, { name });
    },
  );
  const prometheus = new Prometheus(() => meter.read());
  const onInternalError = (path: string, error: unknown, traceId?: string): void => {
    log.error({ trace_id: traceId, path, err: (error as Error).cause ?? error }, 'internal error');
  };
  const api = new ApiServer(
    { router, pool, models, metrics, tracing, meter, events: eventLog },
    {
      listen: settings.listen,
      adminFrom: settings.admin_from,
      reflection: settings.reflection,
      maxMessageBytes: settings.max_message_bytes,
      maxStreamsPerConnection: settings.max_streams_per_connection,
      maxBatchItems: settings.max_batch_items,
      windowSize: settings.stream_window,
      protoDir: join(ROOT, 'proto'),
      timeoutMs: settings.request_timeout_ms,
      maxSubscribers: settings.events.max_subscribers,
      publishPerS: settings.events.publish_per_s,
      trust: (engine) => quarantine.readmit(engine),
      register: async (id, address) => {
        const pooled = pool.add(connect(...checkSidecar(id, address)));
        await pooled.engine.start();
        return pooled;
      },
      onInternalError,
    },
  );

  const otlp = otlpMetrics();
  let pushing: { stop(): Promise<void> } | undefined;
  const shown: DashboardSources = {
    engines: () => pool.engines,
    models,
    counts: () => metrics.snapshot(),
    router,
    cache: () => cache?.stats ?? { entries: 0, bytes: 0, evictions: 0 },
    connections,
    traces,
    disputes: recentDisputes,
    events: eventLog,
    exposition: (accept) => prometheus.exposition(accept),
    reason: settings.dashboard.try_requests
      ? (request, context) => reasonJson(request, router, context, { observer: metrics, onInternalError, tracing })
      : undefined,
  };
  const http = ['', 'off'].includes(settings.http_listen)
    ? undefined
    : new HttpServer(shown, {
        listen: settings.http_listen,
        maxBodyBytes: settings.max_message_bytes,
        timeoutMs: settings.request_timeout_ms,
        onInternalError,
      });

  const stop = async (): Promise<void> => {
    stopping = true;
    for (const discovery of discoveries) discovery.stop();
    await Promise.all([api.stop(settings.drain_timeout_ms), http?.stop(settings.drain_timeout_ms)]);
    await Promise.all(pool.engines.map(({ engine }) => engine.stop()));
    await Promise.all(supervisors.map((supervisor) => supervisor.stop(settings.drain_timeout_ms)));
    quarantine.stop();
    await disputes?.stop();
    for (const { breaker } of pool.engines) breaker.stop();
    connections.stop();
    alerts.stop();
    await pushing?.stop();
    await snapshots?.stop();
    receiver.stop();
    await exporter?.stop(LAST_SPANS_MS);
  };
  try {
    await snapshots?.start();
    pushing = otlp && (await startOtlpMetrics(() => meter.read(), otlp));
    const address = await api.start();
    connections.listen(address);
    const httpAddress = (await http?.start()) ?? '';
    await Promise.all(supervisors.map((supervisor) => supervisor.start()));
    await Promise.all([...pool.engines.map(({ engine }) => engine), ...discoveries].map((each) => each.start()));
    pool.settle();
    if (settings.alerts.enabled) alerts.start();
    const exported = (): ExportCounts | undefined => exporter?.counts;
    return { address, httpAddress, pool, supervisors, prometheus, traces, tracing, exported, spansTo, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** OpenTelemetry's packages take half a second to load: only where there is somewhere to send spans to. */
async function spanExporter(
  { tracing }: Settings,
  otel: OtelSettings,
  source: SpanSource,
  log: Log,
): Promise<SpanExporter | undefined> {
  if (otel.export === undefined || !tracing.enabled) return undefined;
  const { endpoint, protocol } = otel.export;
  const exporting = await import('./telemetry/span-exporter.ts');
  return new exporting.SpanExporter(otel.export, source, decodeSpan, {
    failing: (why) => log.warn({ endpoint, protocol, why }, 'spans do not reach the collector; they are counted'),
    recovered: () => log.info({ endpoint, protocol }, 'spans reach the collector again'),
  });
}

/** The sidecars that this router starts itself: engine-1, engine-2, … */
function spawnedSidecars(settings: Settings, env: SupervisedSidecar['env']): SupervisedSidecar[] {
  const { spawn, sidecars, discovery, models_dir, log_level } = settings;
  const count = spawn.count ?? (sidecars.length + discovery.targets.length > 0 ? 0 : 2);
  return Array.from({ length: count }, (_, index) => ({
    id: `engine-${index + 1}`,
    address: spawn.socket_dir
      ? `unix:${resolve(spawn.socket_dir, `engine-${index + 1}.sock`)}`
      : `127.0.0.1:${spawn.base_port + index}`,
    binary: resolve(ROOT, spawn.binary),
    env,
    args: ['--models', models_dir, '--threads', String(spawn.threads), '--log-level', log_level].concat(
      process.stderr.isTTY ? '--no-log-json' : '--log-json',
    ),
  }));
}

function breakerOptions({ breaker }: Settings): BreakerOptions {
  return {
    failurePercent: breaker.failure_percent,
    minRequests: breaker.min_requests,
    windowMs: breaker.window_ms,
    resetMs: breaker.reset_ms,
  };
}

function quarantineOptions({ quarantine }: Settings): QuarantineOptions {
  return {
    dissents: quarantine.dissents,
    windowMs: quarantine.window_ms,
    sitOutMs: quarantine.sit_out_ms,
    sitOutMaxMs: quarantine.sit_out_max_ms,
  };
}

function alertOptions({ alerts }: Settings): AlertOptions {
  return {
    intervalMs: alerts.interval_ms,
    windowMs: alerts.window_ms,
    forMs: alerts.for_ms,
    errorRatio: alerts.error_ratio,
    p99Ms: alerts.p99_ms,
    memoryBytes: alerts.memory_bytes,
    cacheCollapse: alerts.cache_collapse,
  };
}

/** Inputs with known answers for the models that an engine holds. */
function goldenOf(models: ModelRepository, { engine }: PooledEngine): KnownAnswer[] {
  return (engine.description?.models ?? []).flatMap(({ name, version, inputSize }) => {
    const golden = models.find(name, version)[0]?.golden ?? [];
    return golden.map(({ data, ...digests }) => ({
      input: { model: name, version, shape: [inputSize], data },
      ...digests,
    }));
  });
}

/** Example: "engine-1 0123456789abcdef, engine-2 ENGINE_LOST". */
function digests(ballots: Dispute['ballots']): string {
  return ballots
    .map(({ engineId, stateDigest, why }) => `${engineId} ${stateDigest === undefined ? why : hex64(stateDigest)}`)
    .join(', ');
}

function toDisputeView({ input, strategy, verdict, wrong, ballots }: Dispute, pool: EnginePool): DisputeView {
  const hex = (digest: bigint | undefined): string => (digest === undefined ? '' : hex64(digest));
  return {
    timeMs: Date.now(),
    ...{ model: input.model, version: input.version, strategy, verdict, wrong },
    ballots: ballots.map(({ engineId, stateDigest, readoutDigest, outcome, why, durationMs }) => ({
      ...{ engineId, outcome, why, durationMs },
      build: pool.engines.find(({ id }) => id === engineId)?.build ?? '',
      stateDigest: hex(stateDigest),
      readoutDigest: hex(readoutDigest),
    })),
  };
}

function cacheOptions({ cache }: Settings): KeptOptions<Answer> {
  return {
    maxEntries: cache.max_entries,
    maxBytes: cache.max_bytes,
    ttlMs: cache.ttl_ms,
    staleMs: cache.stale_ms,
    sizeOf,
  };
}

function routerOptions(
  settings: Settings,
  observer: Observer,
  admission: Admission,
  onDispute: (dispute: Dispute) => void,
): RouterOptions {
  const { retry, max_in_flight, slow_start_ms } = settings;
  return {
    strategy: settings.strategy,
    localFirstShare: settings.local_first_share,
    sidecarFirstShare: settings.sidecar_first_share,
    vote: settings.vote,
    usualMs: new LatencyQuantile(settings.hedged.percentile),
    audit: new Audit({ rate: settings.vote.audit_rate, observer, onDispute }),
    admission,
    onDispute,
    maxInFlight: max_in_flight,
    slowStartMs: slow_start_ms,
    maxAttempts: retry.max_attempts,
    attemptTimeoutMs: retry.attempt_timeout_ms,
    budget: new RetryBudget(max_in_flight, retry.budget_percent),
    observer,
  };
}

/** What a caller wants registered, held against the rules of the settings. Throws INVALID_FIELD. */
function checkSidecar(id: string, address: string): [id: string, address: string] {
  const { error } = sidecarSchema.safeParse({ id, address });
  if (error === undefined) return [id, address];
  const [issue] = error.issues;
  const field = issue?.path[0] === 'id' ? 'engine_id' : 'address';
  throw new RouterError('INVALID_FIELD', `${field}: ${issue?.message}`, { field });
}

function discoveryEvents(log: Log, address: string): DiscoveryEvents {
  return {
    found: ({ id, engine }) => log.info({ engine: id, address: engine.address }, 'engine found'),
    vanished: ({ id }) => log.info({ engine: id, name: address }, 'engine vanished from DNS'),
    refused: (count, why) => log.warn({ name: address, count, why }, 'engines found that the pool does not take'),
    failed: (why) => log.warn({ name: address, why }, 'name not resolved; the engines stay as they are'),
    recovered: () => log.info({ name: address }, 'name resolved again'),
  };
}

function supervisorEvents(log: Log, onLine: (line: string) => void): SupervisorEvents {
  return {
    started: (id, pid) => log.info({ engine: id, pid }, 'sidecar started'),
    exited: (id, why, restartInMs) => log.warn({ engine: id, why, restart_in_ms: restartInMs }, 'sidecar exited'),
    line: (_id, line) => onLine(line),
  };
}
