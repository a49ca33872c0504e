// Sources of engines: started by this router, listed in the settings, or found by DNS.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sidecarSchema } from '../config/engine-settings.ts';
import type { Settings } from '../config/schema.ts';
import { RouterError } from '../core/errors.ts';
import { plainAddress } from '../core/loopback.ts';
import { TokenBucket } from '../core/token-bucket.ts';
import { AllowedAddresses } from '../engines/allowed-addresses.ts';
import { Discovery, type DiscoveryEvents, type DiscoveryParts } from '../engines/discovery.ts';
import { normalAddress } from '../engines/duplicates.ts';
import type { Engine } from '../engines/engine.ts';
import type { KnownAnswer } from '../engines/known-answers.ts';
import { checkModels } from '../engines/model-problems.ts';
import type { EnginePool } from '../engines/pool.ts';
import type { PooledEngine } from '../engines/pooled-engine.ts';
import type { SupervisedSidecar, SupervisorEvents } from '../engines/supervisor.ts';
import type { ModelRepository } from '../models/repository.ts';
import { knownAnswers } from '../publishing/known-inputs.ts';
import type { Log } from '../telemetry/log.ts';
import type { SystemEvents } from '../telemetry/system-events.ts';
import type { EngineSockets } from './engine-sockets.ts';

/** Time for an engine to answer at registration, milliseconds. */
const REGISTER_MS = 1_000;

/** A higher rate looks like a port scan. */
const REGISTRATIONS_PER_S = 5;

const ROOT = join(import.meta.dirname, '../..');

/** Default if the settings name none. */
const BASE_PORT = 50_061;

/** The sidecars that this router starts: engine-1, engine-2, … `sockets`: used if a port is taken. */
export async function spawnedSidecars(
  settings: Settings,
  env: SupervisedSidecar['env'],
  sockets: EngineSockets,
): Promise<SupervisedSidecar[]> {
  const { spawn, sidecars, discovery, models_dir, log_level, recorder } = settings;
  const count = spawn.count ?? (sidecars.length + discovery.targets.length > 0 ? 0 : 2);
  const addressOf = async (index: number): Promise<string> => {
    const port = (spawn.base_port ?? BASE_PORT) + index;
    const usesPort = spawn.socket_dir === '' && (spawn.base_port !== undefined || (await canListen(port)));
    if (usesPort) return `127.0.0.1:${port}`;
    return `unix:${resolve(spawn.socket_dir || sockets.folder, `engine-${index + 1}.sock`)}`;
  };
  const addresses = await Promise.all(Array.from({ length: count }, (_, index) => addressOf(index)));
  return addresses.map((address, index) => ({
    id: `engine-${index + 1}`,
    address,
    binary: resolve(ROOT, spawn.binary),
    env,
    args: [
      ...['--models', models_dir, '--threads', String(spawn.threads), '--log-level', log_level],
      ...['--recorder-bytes', String(recorder.max_bytes), process.stderr.isTTY ? '--no-log-json' : '--log-json'],
    ],
  }));
}

/** Whether a process could listen at this port of 127.0.0.1 now. */
async function canListen(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

export function supervisorEvents(log: Log, onLine: (line: string) => void): SupervisorEvents {
  return {
    started: (id, pid) => log.info({ engine: id, pid }, 'sidecar started'),
    exited: (id, why, restartInMs) => log.warn({ engine: id, why, restart_in_ms: restartInMs }, 'sidecar exited'),
    line: (_id, line) => onLine(line),
  };
}

/** The host names to resolve; a new list replaces the previous one. */
export class Discoveries {
  readonly #parts: Omit<DiscoveryParts, 'events'>;
  readonly #log: Log;
  readonly #system: SystemEvents;
  #found: { readonly target: Target; readonly discovery: Discovery }[] = [];

  constructor(parts: Omit<DiscoveryParts, 'events'>, log: Log, system: SystemEvents) {
    this.#parts = parts;
    this.#log = log;
    this.#system = system;
  }

  /** Names with a problem, and the problem. */
  get problems(): readonly { readonly name: string; readonly why: string }[] {
    return this.#found
      .map(({ target, discovery }) => ({ name: target.address, why: discovery.problem }))
      .filter(({ why }) => why !== '');
  }

  /** Resolves once the engines of new names have tried to connect. Then the engines of dropped names are removed. */
  async replace(targets: readonly Target[]): Promise<void> {
    const isSame = (a: Target, b: Target): boolean => a.name === b.name && a.address === b.address;
    const leaving = this.#found.filter(({ target }) => !targets.some((each) => isSame(each, target)));
    const added = targets
      .filter((target) => !this.#found.some((each) => isSame(each.target, target)))
      .map((target) => {
        const events = discoveryEvents(this.#log, this.#system, target.address);
        return { target, discovery: new Discovery(target, { ...this.#parts, events }) };
      });
    this.#found = [...this.#found.filter((each) => !leaving.includes(each)), ...added];
    await Promise.all(added.map(({ discovery }) => discovery.start()));
    for (const { discovery } of leaving) void discovery.close();
  }

  engineChanged(pooled: PooledEngine): void {
    for (const { discovery } of this.#found) discovery.engineChanged(pooled);
  }

  stop(): void {
    for (const { discovery } of this.#found) discovery.stop();
  }
}

type Target = Settings['discovery']['targets'][number];

function discoveryEvents(log: Log, system: SystemEvents, name: string): DiscoveryEvents {
  return {
    found: ({ id, engine }) => log.info({ engine: id, address: engine.address }, 'engine found'),
    vanished: ({ id }) => log.info({ engine: id, name }, 'engine vanished from DNS'),
    kept: (engines, why) => {
      const kept = engines.map(({ id }) => id).join(', ');
      system.tell('engine', 'WARNING', 'DNS moved to addresses without an engine; the previous engines stay', {
        name,
        why,
        kept,
      });
    },
    replaced: () => system.tell('engine', 'INFO', 'engines at the addresses of DNS answer again', { name }),
    refused: (count, why) =>
      system.tell('engine', 'WARNING', 'engines found that the pool refuses', { name, count, why }),
    failed: (why) => system.tell('engine', 'WARNING', 'name not resolved', { name, why }),
    recovered: () => system.tell('engine', 'INFO', 'name resolved again', { name }),
  };
}

/** For callers of RegisterEngine. `rules`: allowed addresses of engines. */
export function engineRegistrar(
  pool: EnginePool,
  connect: (id: string, address: string) => Engine,
  rules: () => readonly string[],
): (id: string, address: string) => Promise<PooledEngine> {
  const registrations = new TokenBucket(REGISTRATIONS_PER_S);
  return async (id, address) => {
    checkSidecar(id, address);
    checkRegistration(address, rules(), () => registrations.take());
    const pooled = await registerEngine(pool, Object.assign(connect(id, address), { isUnproven: true }));
    // An engine that answers is not a port scan.
    if (pooled.engine.description !== undefined) registrations.giveBack();
    return pooled;
  };
}

/** Checks a registration against the rules of the settings. Throws INVALID_FIELD. */
function checkSidecar(id: string, address: string): void {
  const { error } = sidecarSchema.safeParse({ id, address });
  if (error === undefined) return;
  const [issue] = error.issues;
  const field = issue?.path[0] === 'id' ? 'engine_id' : 'address';
  throw new RouterError('INVALID_FIELD', `${field}: ${issue?.message}`, { field });
}

/**
 * Throws ENGINE_LIMIT if callers register engines too fast for `takes`, and INVALID_FIELD if `address` is not allowed.
 */
function checkRegistration(address: string, rules: readonly string[], takes: () => number): void {
  const retryAfterMs = takes();
  if (retryAfterMs > 0) {
    throw new RouterError('ENGINE_LIMIT', 'too many engines are registered in a short time; try again later', {
      retryAfterMs,
    });
  }
  if (new AllowedAddresses(rules).has(address)) return;
  const message = 'address is not allowed for engines; see setting admin.engine_addresses';
  throw new RouterError('INVALID_FIELD', message, { field: 'address' });
}

/**
 * Adds an engine and waits for its answer, up to REGISTER_MS whatever is at the address. Throws ENGINE_EXISTS (also if
 * it is the same process as another engine) or ENGINE_LIMIT.
 */
async function registerEngine(pool: EnginePool, engine: Engine): Promise<PooledEngine> {
  const { id, address } = engine;
  const at = normalAddress(address);
  const same = pool.engines.find(({ engine: other }) => other.id !== id && normalAddress(other.address) === at);
  if (same !== undefined) throw sameProcess(engine, same.engine);
  const pooled = pool.add(engine);
  await Promise.race([answerOf(engine), delay(REGISTER_MS)]);
  if (pooled.duplicateOf === '') return pooled;
  const first = pool.find(pooled.duplicateOf);
  pool.remove(id);
  void engine.stop();
  throw sameProcess(engine, first.engine);
}

/** Resolves when the engine has identified itself; else never. */
function answerOf(engine: Engine): Promise<void> {
  return new Promise((resolve) => {
    void engine.start().then(() => engine.description === undefined || resolve());
  });
}

function sameProcess({ id, address }: Engine, known: Engine): RouterError {
  const message =
    `engine "${id}" at ${address} is the same process as engine "${known.id}" at ${known.address}, ` +
    `and a process has one vote; remove "${known.id}" first, or register another process`;
  return new RouterError('ENGINE_EXISTS', message, { field: 'address', metadata: { engine_id: known.id } });
}

/** Addresses of connected engines that were not started here. Engines on a Unix socket are on this machine. */
export function engineAddresses(pool: EnginePool, spawned: readonly { readonly id: string }[]): ReadonlySet<string> {
  const others = pool.engines.filter(({ id, kind }) => kind === 'sidecar' && !spawned.some((each) => each.id === id));
  return new Set(
    others.flatMap(({ engine }) => {
      if (engine.address.startsWith('unix:')) return ['127.0.0.1', '::1'];
      return engine.peerAddress === undefined ? [] : [plainAddress(engine.peerAddress)];
    }),
  );
}

/** Golden vectors for the models that an engine serves. */
export function goldenOf(models: ModelRepository, { engine, pins }: PooledEngine): KnownAnswer[] {
  const { usable } = checkModels(engine.description?.models ?? [], pins);
  return models.versions.flatMap((version) => {
    const pin = usable.find((model) => model.name === version.heldAs && model.version === version.version);
    return pin === undefined || version.isUnloaded ? [] : knownAnswers(version, pin);
  });
}
