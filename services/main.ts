// The composition root: nothing else wires parts together.
import { join, resolve } from 'node:path';
import { ApiServer } from './api/server.ts';
import type { Settings } from './config/schema.ts';
import type { Engine } from './engines/engine.ts';
import { LocalEngine } from './engines/local/local-engine.ts';
import { EnginePool } from './engines/pool.ts';
import { SidecarEngine } from './engines/sidecar/sidecar-engine.ts';
import { type SupervisedSidecar, Supervisor, type SupervisorEvents } from './engines/supervisor.ts';
import { ModelRepository } from './models/repository.ts';
import { Router } from './routing/router.ts';
import type { Log } from './telemetry/log.ts';

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
  const spawned = spawnedSidecars(settings);
  const supervisors = spawned.map((sidecar) => new Supervisor(sidecar, supervisorEvents(log, onSidecarLine)));
  const engines: Engine[] = [
    ...(settings.local.enabled
      ? [new LocalEngine({ id: 'local', modelsDir: settings.models_dir, workers: settings.local.workers })]
      : []),
    ...[...spawned, ...settings.sidecars].map(({ id, address }) => new SidecarEngine(id, address)),
  ];
  let stopping = false;
  const pool = new EnginePool(engines, (engine) => {
    if (stopping) return;
    if (engine.description) log.info({ engine: engine.id, build: engine.description.build }, 'engine ready');
    else log.warn({ engine: engine.id, why: engine.downReason }, 'engine down');
    api.setServing(pool.engines.some((pooled) => pooled.engine.description !== undefined));
  });
  const router = new Router(models, pool, {
    strategy: settings.strategy,
    localShare: settings.local_first_share,
    maxInFlight: settings.max_in_flight,
  });
  const api = new ApiServer(router, pool, models, {
    listen: settings.listen,
    reflection: settings.reflection,
    maxMessageBytes: settings.max_message_bytes,
    maxStreamsPerConnection: settings.max_streams_per_connection,
    protoDir: join(ROOT, 'proto'),
    timeoutMs: settings.request_timeout_ms,
    onInternalError: (path, error) => log.error({ path, err: error.cause ?? error }, 'internal error'),
  });

  const stop = async (): Promise<void> => {
    stopping = true;
    await api.stop(settings.drain_timeout_ms);
    await Promise.all(engines.map((engine) => engine.stop()));
    await Promise.all(supervisors.map((supervisor) => supervisor.stop(settings.drain_timeout_ms)));
  };
  try {
    const address = await api.start();
    await Promise.all(supervisors.map((supervisor) => supervisor.start()));
    await Promise.all(engines.map((engine) => engine.start()));
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

function supervisorEvents(log: Log, onLine: (line: string) => void): SupervisorEvents {
  return {
    started: (id, pid) => log.info({ engine: id, pid }, 'sidecar started'),
    exited: (id, why, restartInMs) => log.warn({ engine: id, why, restart_in_ms: restartInMs }, 'sidecar exited'),
    line: (_id, line) => onLine(line),
  };
}
