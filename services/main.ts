// The composition root: nothing else wires parts together.
import { join, resolve } from 'node:path';
import type { MetricsSources } from './api/metrics.ts';
import { ApiServer } from './api/server.ts';
import { AnswerCache } from './cache/answer-cache.ts';
import type { KeptOptions } from './cache/kept-answers.ts';
import { type Settings, sidecarSchema } from './config/schema.ts';
import { RouterError } from './core/errors.ts';
import type { Observer } from './core/observer.ts';
import type { BreakerOptions } from './engines/breaker.ts';
import type { Engine } from './engines/engine.ts';
import { LocalEngine } from './engines/local/local-engine.ts';
import { EnginePool } from './engines/pool.ts';
import { SidecarEngine } from './engines/sidecar/sidecar-engine.ts';
import { type SupervisedSidecar, Supervisor, type SupervisorEvents } from './engines/supervisor.ts';
import { ModelRepository } from './models/repository.ts';
import { type Answer, sizeOf } from './routing/answer.ts';
import { RetryBudget } from './routing/retry-budget.ts';
import { Router, type RouterOptions } from './routing/router.ts';
import { ClientConnections } from './telemetry/connections.ts';
import type { Log } from './telemetry/log.ts';
import { Metrics } from './telemetry/metrics.ts';

const ROOT = join(import.meta.dirname, '..');

export interface Tandem {
  /** Bound address of the gRPC server. */
  readonly address: string;
  readonly pool: EnginePool;
  readonly supervisors: readonly Supervisor[];
  /** Refuses new work, finishes what is in flight, then stops everything that was started. */
  stop(): Promise<void>;
}

/** Starts everything that `settings` asks for; resolves when the router answers. */
export async function start(
  settings: Settings,
  log: Log,
  onSidecarLine: (line: string) => void = (line) => process.stderr.write(`${line}\n`),
): Promise<Tandem> {
  const models = ModelRepository.read(settings.models_dir, settings.default_model);
  const metrics = new Metrics();
  const connections = new ClientConnections();
  const spawned = spawnedSidecars(settings);
  const supervisors = spawned.map((sidecar) => new Supervisor(sidecar, supervisorEvents(log, onSidecarLine)));
  const connect = (id: string, address: string): Engine => new SidecarEngine(id, address, settings.stall_timeout_ms);
  let stopping = false;
  const pool = new EnginePool(breakerOptions(settings), {
    engineChanged: ({ id, state, engine }) => {
      if (stopping) return;
      if (state === 'READY') log.info({ engine: id, build: engine.description?.build }, 'engine ready');
      else log.warn({ engine: id, why: engine.downReason }, `engine ${state.toLowerCase()}`);
      api.setServing(pool.engines.some((pooled) => pooled.state === 'READY'));
    },
    breakerChanged: ({ id }, { state, why }) => {
      if (!stopping) log.warn({ engine: id, breaker: state, why }, 'breaker changed');
    },
    engineRemoved: ({ id }) => {
      metrics.forgetEngine(id);
      log.info({ engine: id }, 'engine removed');
    },
  });
  if (settings.local.enabled) {
    pool.add(new LocalEngine({ id: 'local', modelsDir: settings.models_dir, workers: settings.local.workers }));
  }
  for (const { id, address } of [...spawned, ...settings.sidecars]) pool.add(connect(id, address));

  const cache = settings.cache.enabled ? new AnswerCache<Answer>(cacheOptions(settings)) : undefined;
  const router = new Router(models, pool, cache, routerOptions(settings, metrics));
  const sources: MetricsSources = {
    engines: () => pool.engines,
    inFlight: () => router.inFlight,
    cache: () => cache?.stats ?? { entries: 0, bytes: 0, evictions: 0 },
    connections: () => connections,
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
      register: async (id, address) => {
        const pooled = pool.add(connect(...checkSidecar(id, address)));
        await pooled.engine.start();
        return pooled;
      },
      onInternalError: (path, error) => log.error({ path, err: error.cause ?? error }, 'internal error'),
    },
  );

  const stop = async (): Promise<void> => {
    stopping = true;
    await api.stop(settings.drain_timeout_ms);
    await Promise.all(pool.engines.map(({ engine }) => engine.stop()));
    await Promise.all(supervisors.map((supervisor) => supervisor.stop(settings.drain_timeout_ms)));
    for (const { breaker } of pool.engines) breaker.stop();
    connections.stop();
  };
  try {
    const address = await api.start();
    connections.listen(address);
    await Promise.all(supervisors.map((supervisor) => supervisor.start()));
    await Promise.all(pool.engines.map(({ engine }) => engine.start()));
    return { address, pool, supervisors, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The sidecars that this router starts itself: engine-1, engine-2, … */
function spawnedSidecars({ spawn, sidecars, models_dir, log_level }: Settings): SupervisedSidecar[] {
  const count = spawn.count ?? (sidecars.length > 0 ? 0 : 2);
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

function cacheOptions({ cache }: Settings): KeptOptions<Answer> {
  return {
    maxEntries: cache.max_entries,
    maxBytes: cache.max_bytes,
    ttlMs: cache.ttl_ms,
    staleMs: cache.stale_ms,
    sizeOf,
  };
}

function routerOptions(settings: Settings, observer: Observer): RouterOptions {
  const { retry, max_in_flight } = settings;
  return {
    strategy: settings.strategy,
    localFirstShare: settings.local_first_share,
    sidecarFirstShare: settings.sidecar_first_share,
    participants: settings.redundant.participants,
    maxInFlight: max_in_flight,
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

function supervisorEvents(log: Log, onLine: (line: string) => void): SupervisorEvents {
  return {
    started: (id, pid) => log.info({ engine: id, pid }, 'sidecar started'),
    exited: (id, why, restartInMs) => log.warn({ engine: id, why, restart_in_ms: restartInMs }, 'sidecar exited'),
    line: (_id, line) => onLine(line),
  };
}
