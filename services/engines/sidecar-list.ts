// The sidecars in the settings: a new list replaces the previous one while requests run.
import { RouterError } from '../core/errors.ts';
import type { Engine } from './engine.ts';
import { type EnginePool, MAX_ENGINES } from './pool.ts';

interface ListedSidecar {
  readonly id: string;
  readonly address: string;
}

export class SidecarList {
  readonly #pool: EnginePool;
  readonly #connect: (id: string, address: string) => Engine;
  #listed: readonly ListedSidecar[];

  /** `listed`: sidecars that are in the pool already. */
  constructor(pool: EnginePool, connect: (id: string, address: string) => Engine, listed: readonly ListedSidecar[]) {
    this.#pool = pool;
    this.#connect = connect;
    this.#listed = listed;
  }

  /** Throws ENGINE_EXISTS or ENGINE_LIMIT if the pool would refuse `next`. */
  check(next: readonly ListedSidecar[]): void {
    const { added, removed } = this.#difference(next);
    const staying = this.#pool.engines.filter(({ id }) => !removed.some((each) => each.id === id));
    const ids = [...staying, ...added].map(({ id }) => id);
    const twice = ids.find((id, index) => ids.indexOf(id) !== index);
    if (twice !== undefined) {
      throw new RouterError('ENGINE_EXISTS', `sidecars: there is an engine "${twice}" already; choose another id`);
    }
    if (ids.length > MAX_ENGINES) {
      throw new RouterError('ENGINE_LIMIT', `sidecars: ${ids.length} engines in all, ${MAX_ENGINES} are the most`);
    }
  }

  /**
   * New sidecars are connected before dropped ones are removed, and those finish their requests in flight, so a
   * replacement never leaves the pool without an engine. A sidecar whose address changed is removed first.
   */
  async replace(next: readonly ListedSidecar[]): Promise<void> {
    this.check(next);
    const { added, removed } = this.#difference(next);
    this.#listed = next;
    const isMoved = ({ id }: ListedSidecar): boolean => added.some((each) => each.id === id);
    for (const sidecar of removed.filter(isMoved)) this.#letGo(sidecar);
    const engines = added.map(({ id, address }) => this.#pool.add(this.#connect(id, address)));
    await Promise.all(engines.map(({ engine }) => engine.start()));
    for (const sidecar of removed.filter((each) => !isMoved(each))) this.#letGo(sidecar);
  }

  #difference(next: readonly ListedSidecar[]): { added: ListedSidecar[]; removed: ListedSidecar[] } {
    const lacks = (list: readonly ListedSidecar[]) => (sidecar: ListedSidecar) =>
      !list.some(({ id, address }) => id === sidecar.id && address === sidecar.address);
    return { added: next.filter(lacks(this.#listed)), removed: this.#listed.filter(lacks(next)) };
  }

  /** An operator may have removed it already. */
  #letGo({ id, address }: ListedSidecar): void {
    const pooled = this.#pool.engines.find((each) => each.id === id && each.engine.address === address);
    if (pooled !== undefined) void this.#pool.remove(id).engine.stop();
  }
}
