// The composition root: nothing else wires parts together.
import { join, resolve } from 'node:path';
import type { MetricsSources } from './api/metrics.ts';
import { reasonJson } from './api/reason-json.ts';
import { ApiServer } from './api/server.ts';
import { AnswerCache } from './cache/answer-cache.ts';
import type { KeptOptions } from './cache/kept-answers.ts';
import { type Settings, sidecarSchema } from './config/schema.ts';
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
import { ClientConnections } from './telemetry/connections.ts';
import { DisputeLog } from './telemetry/dispute-log.ts';
import type { Log } from './telemetry/log.ts';
import { Metrics } from './telemetry/metrics.ts';

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
  const spawned = spawnedSidecars(settings);
  const supervisors = spawned.map((sidecar) => new Supervisor(sidecar, supervisorEvents(log, onSidecarLine)));
  const connect = (id: string, address: string): Engine => new SidecarEngine(id, address, settings.stall_timeout_ms);
  let stopping = false;
  const events: Partial<PoolEvents> = {
    engineChanged: (pooled) => {
      const { id, state, engine } = pooled;
      if (stopping) return;
      for (const discovery of discoveries) discovery.engineChanged(pooled);
      admission.serve();
      if (state === 'READY') log.info({ engine: id, build: engine.description?.build }, 'engine ready');
      else log.warn({ engine: id, why: pooled.whyNot }, `engine ${state.toLowerCase()}`);
      api.setServing(pool.engines.some((each) => each.state === 'READY'));
    },
    breakerChanged: ({ id }, { state, why }) => {
      admission.serve();
      if (!stopping) log.warn({ engine: id, breaker: state, why }, 'breaker changed');
    },
    engineRemoved: ({ id }) => {
      metrics.forgetEngine(id);
      log.info({ engine: id }, 'engine removed');
    },
    panicChanged: ({ isPanicking, ...what }) => {
      if (stopping) return;
      if (isPanicking) log.warn(what, 'too few breakers are closed; all are ignored');
      else log.info(what, 'breakers are heeded again');
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
    const { input, strategy, wrong, verdict, ballots, right } = dispute;
    recentDisputes.add(toDisputeView(dispute, pool));
    disputes?.record({
      ...{ requestId: '', strategy, verdict, model: input.model, version: input.version },
      ...{ shape: input.shape, data: input.data },
      modelId: pool.served(input.model, input.version)?.model.modelId ?? 0n,
      ballots: ballots.map((cast) => ({
        ...cast,
        build: pool.engines.find(({ id }) => id === cast.engineId)?.build ?? '',
      })),
    });
    log.warn({ model: input.model, version: input.version, verdict, wrong, ballots: digests(ballots) }, 'dispute');
    for (const { engineId } of ballots.filter((ballot) => wrong.includes(ballot.engineId))) {
      const engine = pool.engines.find(({ id }) => id === engineId);
      if (engine !== undefined && right !== undefined) quarantine.dissented(engine, { input, ...right });
    }
  };
  const cache = settings.cache.enabled ? new AnswerCache<Answer>(cacheOptions(settings)) : undefined;
  const router = new Router(models, pool, cache, routerOptions(settings, metrics, admission, onDispute));
  const sources: MetricsSources = {
    engines: () => pool.engines,
    inFlight: () => router.inFlight,
    cache: () => cache?.stats ?? { entries: 0, bytes: 0, evictions: 0 },
    connections: () => connections,
  };
  const onInternalError = (path: string, error: unknown): void => {
    log.error({ path, err: (error as Error).cause ?? error }, 'internal error');
  };
  const api = new ApiServer(
    { router, pool, models, metrics, sources },
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
      trust: (engine) => quarantine.readmit(engine),
      register: async (id, address) => {
        const pooled = pool.add(connect(...checkSidecar(id, address)));
        await pooled.engine.start();
        return pooled;
      },
      onInternalError,
    },
  );

  const shown: DashboardSources = {
    engines: () => pool.engines,
    models,
    counts: () => metrics.snapshot(),
    router,
    cache: () => cache?.stats ?? { entries: 0, bytes: 0, evictions: 0 },
    connections,
    traces: { recent: () => [], spans: () => [] },
    disputes: recentDisputes,
    events: { recent: () => [] },
    exposition: undefined,
    reason: settings.dashboard.try_requests
      ? (request, context) => reasonJson(request, router, context, { observer: metrics, onInternalError })
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
  };
  try {
    const address = await api.start();
    connections.listen(address);
    const httpAddress = (await http?.start()) ?? '';
    await Promise.all(supervisors.map((supervisor) => supervisor.start()));
    await Promise.all([...pool.engines.map(({ engine }) => engine), ...discoveries].map((each) => each.start()));
    pool.settle();
    return { address, httpAddress, pool, supervisors, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The sidecars that this router starts itself: engine-1, engine-2, … */
function spawnedSidecars(settings: Settings): SupervisedSidecar[] {
  const { spawn, sidecars, discovery, models_dir, log_level } = settings;
  const count = spawn.count ?? (sidecars.length + discovery.targets.length > 0 ? 0 : 2);
  return Array.from({ length: count }, (_, index) => ({
    id: `engine-${index + 1}`,
    address: spawn.socket_dir
      ? `unix:${resolve(spawn.socket_dir, `engine-${index + 1}.sock`)}`
      : `127.0.0.1:${spawn.base_port + index}`,
    binary: resolve(ROOT, spawn.binary),
    args: ['--models', models_dir, '--threads', String(spawn.threads), '--log-level', log_level].concat(
      process.stderr.isTTY ? [] : '--log-json',
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

function digests(ballots: Dispute['ballots']): Record<string, string> {
  return Object.fromEntries(
    ballots.map(({ engineId, stateDigest, why }) => [engineId, stateDigest === undefined ? why : hex64(stateDigest)]),
  );
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
