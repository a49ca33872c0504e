// Real C++ sidecars, each behind a fake that refuses, lies or counts for a test.
import * as grpc from '@grpc/grpc-js';
import { EngineServiceClient } from '../../../services/generated/tandem/engine/v1/engine.ts';
import type { ReasonRequest, Tensor } from '../../../services/generated/tandem/v1/reasoning.ts';
import { LyingEngine } from '../../fakes/lying-engine.ts';
import { readHeldout } from '../../support/heldout.ts';
import { type RunningSidecar, type SidecarOptions, startSidecar } from '../../support/sidecar.ts';
import { until } from '../../support/until.ts';
import { SUPERSENSE } from '../../support/models.ts';

export interface Member {
  readonly sidecar: RunningSidecar;
  /** The engine for the router. */
  readonly front: LyingEngine;
}

export class Fleet<Id extends string> {
  readonly members: ReadonlyMap<Id, Member>;

  private constructor(members: ReadonlyMap<Id, Member>) {
    this.members = members;
  }

  static async start<Id extends string>(
    ids: readonly Id[],
    modelsDir = SUPERSENSE,
    options: SidecarOptions = {},
  ): Promise<Fleet<Id>> {
    const started = ids.map(async (id): Promise<[Id, Member]> => {
      const sidecar = await startSidecar(modelsDir, options);
      return [id, { sidecar, front: await new LyingEngine(sidecar.address).start() }];
    });
    return new Fleet(new Map(await Promise.all(started)));
  }

  /** As in setting `sidecars`. */
  get settings(): { id: Id; address: string }[] {
    return [...this.members].map(([id, { front }]) => ({ id, address: front.address }));
  }

  sidecar(id: Id): RunningSidecar {
    return this.members.get(id)!.sidecar;
  }

  front(id: Id): LyingEngine {
    return this.members.get(id)!.front;
  }

  /** Every member is correct and fast again, and all counts are 0. */
  behave(): void {
    for (const { sidecar, front } of this.members.values()) {
      sidecar.resume();
      Object.assign(front, { lie: undefined, failWith: undefined, stall: false, delayMs: 0 });
      Object.assign(front.counts, { seen: 0, answered: 0, lied: 0, refused: 0, cancelled: 0 });
    }
  }

  /** Restarts its process. Resolves when it can be reached through its fake. */
  async restart(id: Id): Promise<void> {
    await this.sidecar(id).restart();
    const client = new EngineServiceClient(this.front(id).address, grpc.credentials.createInsecure());
    const isThere = (): Promise<boolean> =>
      new Promise((resolve) => void client.describe({}, (error) => resolve(error === null)));
    await until(isThere, { what: `${id} to be back` });
    client.close();
  }

  async stop(): Promise<void> {
    for (const { front } of this.members.values()) front.stop();
    await Promise.all([...this.members.values()].map(({ sidecar }) => sidecar.stop()));
  }
}

/** Inputs of the shipped model, another one at every call, so a cached answer of one test does not affect the next. */
export class Inputs {
  readonly #heldout = readHeldout();
  #next = 0;

  next(): Tensor {
    const { data } = this.#heldout[this.#next % this.#heldout.length]!;
    const fresh = Buffer.from(data);
    // After the first round, the same texts with one number changed a little.
    fresh.writeFloatLE(fresh.readFloatLE(0) + Math.floor(this.#next / this.#heldout.length) * 1e-3, 0);
    this.#next += 1;
    return { shape: [768], dtype: 'FP32', data: fresh };
  }

  request(over: Partial<ReasonRequest> = {}): Partial<ReasonRequest> {
    return { tensor: this.next(), ...over };
  }
}
