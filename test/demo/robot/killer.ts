// Kills engines during the ride, and starts them again a little later.
import type { RunningSidecar } from '../../support/sidecar.ts';

const RESTART_AFTER_MS = 400;

export class Killer {
  kills = 0;
  /** Engines that are dead now. */
  readonly down = new Set<string>();
  readonly #sidecars: ReadonlyMap<string, RunningSidecar>;
  readonly #returns: Promise<void>[] = [];

  constructor(sidecars: ReadonlyMap<string, RunningSidecar>) {
    this.#sidecars = sidecars;
  }

  /** Sends the signal and returns at once. False: the engine is already dead. */
  kill(id: string): boolean {
    if (this.down.has(id)) return false;
    this.kills += 1;
    this.down.add(id);
    this.#returns.push(this.#killAndRestart(id, this.#sidecars.get(id)!));
    return true;
  }

  async #killAndRestart(id: string, sidecar: RunningSidecar): Promise<void> {
    await sidecar.kill();
    await new Promise((resolve) => setTimeout(resolve, RESTART_AFTER_MS));
    await sidecar.restart();
    this.down.delete(id);
  }

  /** Resolves when all killed engines run again. */
  async finish(): Promise<void> {
    await Promise.all(this.#returns);
  }
}
