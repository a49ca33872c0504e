// The host name of a schedule's engines, and the engines that its answers must not remove.
import { Discovery } from '../../services/engines/discovery.ts';
import type { Engine } from '../../services/engines/engine.ts';
import type { EnginePool } from '../../services/engines/pool.ts';
import type { PooledEngine } from '../../services/engines/pooled-engine.ts';
import { Broken } from './invariants.ts';
import type { DnsAct } from './plan.ts';

const INTERVAL_MS = 200;
const NAME = 'e';

interface SimDnsParts {
  readonly pool: EnginePool;
  /** `n`: the number of the plan's engine; undefined: no engine answers there. */
  readonly connect: (id: string, n: number | undefined) => Engine;
  readonly note: (what: string, id: string) => void;
}

export class SimDns {
  readonly #pool: EnginePool;
  readonly #discovery: Discovery;
  #answer: DnsAct = { atMs: 0, answer: [], dead: 0 };
  readonly #leaving = new Set<string>();

  constructor({ pool, connect, note }: SimDnsParts) {
    this.#pool = pool;
    this.#discovery = new Discovery(
      { name: NAME, address: 'engines:1' },
      {
        pool,
        connect: (id, address) => connect(id, /^10\.0\.0\.(\d+):/.test(address) ? numberOf(address) : undefined),
        lookup: () => this.#lookup(),
        intervalMs: INTERVAL_MS,
        events: {
          found: ({ id }) => note('found', id),
          vanished: ({ id }) => note('vanished', id),
          kept: (engines) => note('kept', engines.map(({ id }) => id).join()),
          replaced: () => note('replaced', ''),
          refused: (count) => note('refused', String(count)),
          failed: (why) => note('failed', why),
          recovered: () => note('recovered', ''),
        },
      },
    );
  }

  async start(act: DnsAct): Promise<void> {
    this.#answer = act;
    await this.#discovery.start();
  }

  set answer(act: DnsAct) {
    this.#answer = act;
  }

  stop(): void {
    this.#discovery.stop();
  }

  /** A working engine may be removed only if a listed one serves. Throws Broken. */
  engineChanged(pooled: PooledEngine): void {
    this.#discovery.engineChanged(pooled);
    const { id, isDraining, engine } = pooled;
    if (!isDraining || this.#leaving.has(id)) return;
    this.#leaving.add(id);
    if (engine.description === undefined) return;
    const serves = this.#pool.engines.some((each) => each !== pooled && each.state === 'READY');
    if (!serves) throw new Broken('dns', `"${id}" answers and was removed, although no other engine is ready`);
  }

  engineRemoved({ id }: PooledEngine): void {
    this.#leaving.delete(id);
  }

  #lookup(): Promise<{ address: string; family: number }[]> {
    const { answer, dead } = this.#answer;
    if (answer === 'ERROR') return Promise.reject(new Error('EAI_AGAIN'));
    const good = answer.map((n) => `10.0.0.${n}`);
    const others = Array.from({ length: dead }, (_, n) => `10.9.9.${n}`);
    return Promise.resolve([...good, ...others].map((address) => ({ address, family: 4 })));
  }
}

function numberOf(address: string): number {
  return Number(/^10\.0\.0\.(\d+):/.exec(address)![1]);
}
