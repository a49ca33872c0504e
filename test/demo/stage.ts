// The system that the scenarios run on: a router with its own TypeScript engine, two C++ engines, and a third one of
// the test build, in which bits of memory can be flipped while it runs.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { EventServiceClient } from '../../services/generated/tandem/v1/events.ts';
import type { ReasonResponse } from '../../services/generated/tandem/v1/reasoning.ts';
import { EventReader } from '../support/event-reader.ts';
import { type HeldoutItem, readHeldout } from '../support/heldout.ts';
import { Operator } from '../support/operator.ts';
import { SUPERSENSE } from '../support/models.ts';
import { type RunningSidecar, startSidecar } from '../support/sidecar.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

const MODELS = 'deploy/models';
const FAULTY = join(import.meta.dirname, '../../sidecar-cpp/build/release/tandem-engine-faulty');
/** Weeks: the demo ends the quarantine by a command. */
const SIT_OUT_MS = 3_600_000;

export class Stage {
  readonly system: System;
  readonly operator: Operator;
  readonly events: EventReader;
  readonly labels = readFileSync(`${MODELS}/supersense/labels.txt`, 'utf8').trim().split('\n');
  readonly heldout: readonly HeldoutItem[] = readHeldout();
  /** engine-1 and engine-2. */
  readonly honest: readonly RunningSidecar[];
  /** engine-3. */
  readonly #harmed: RunningSidecar;
  readonly #eventClient: EventServiceClient;

  private constructor(system: System, honest: readonly RunningSidecar[], harmed: RunningSidecar) {
    this.system = system;
    this.honest = honest;
    this.#harmed = harmed;
    this.operator = new Operator(system.adminAddress);
    this.#eventClient = new EventServiceClient(system.address, grpc.credentials.createInsecure());
    this.events = new EventReader(this.#eventClient, { topics: [] });
  }

  static async start(): Promise<Stage> {
    const harm = { command: [FAULTY] as [string], args: ['--fault', 'oneshot=1', '--faults-wait'] };
    const [one, two, three] = await Promise.all([
      startSidecar(MODELS),
      startSidecar(MODELS),
      startSidecar(MODELS, harm),
    ]);
    const system = await startSystem({
      spawn: { count: 0 },
      sidecars: [one, two, three].map(({ address }, index) => ({ id: `engine-${index + 1}`, address })),
      learning: { dir: join(SUPERSENSE, '.students') },
      operations: { file: join(SUPERSENSE, '.operations.json') },
      quarantine: { sit_out_ms: SIT_OUT_MS, sit_out_max_ms: SIT_OUT_MS },
    });
    const stage = new Stage(system, [one, two], three);
    await stage.events.subscribed;
    await until(() => system.pool.engines.every(({ state }) => state === 'READY'), {
      what: 'every engine to be ready',
      timeoutMs: 20_000,
    });
    return stage;
  }

  /** Starts to flip bits in engine-3's memory while it computes; the next call stops it. */
  switchHarm(): void {
    process.kill(this.#harmed.pid, 'SIGHUP');
  }

  /** The held-out text at `index`, modulo their number. */
  item(index: number): HeldoutItem {
    return this.heldout[index % this.heldout.length]!;
  }

  async reason(item: HeldoutItem, request: Parameters<System['reason']>[0] = {}): Promise<ReasonResponse> {
    return await this.system.reason({ tensor: tensorOf(item), ...request });
  }

  async stop(): Promise<void> {
    this.events.cancel();
    this.#eventClient.close();
    this.operator.close();
    await this.system.stop();
    await Promise.all([...this.honest, this.#harmed].map((sidecar) => sidecar.stop()));
  }
}

export function tensorOf({ data }: HeldoutItem): { shape: number[]; dtype: string; data: Buffer } {
  return { shape: [data.length / 4], dtype: 'FP32', data };
}
