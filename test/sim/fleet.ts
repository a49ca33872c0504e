// The engines of one schedule: in the pool from the start or found by a name, replaced, and in changing conditions.
import { ConcurrencyLimit } from '../../services/engines/concurrency-limit.ts';
import type { EnginePool } from '../../services/engines/pool.ts';
import type { Random } from '../fuzz/random.ts';
import { SimDns } from './dns.ts';
import type { Journal } from './journal.ts';
import type { SchedulePlan } from './plan.ts';
import { SimEngine } from './sim-engine.ts';

type EnginePlan = SimEngine['plan'];
type Condition = SimEngine['condition'];
type OnCall = ConstructorParameters<typeof SimEngine>[2]['called'];

interface FleetParts {
  readonly plan: SchedulePlan;
  readonly random: Random;
  readonly journal: Journal;
  readonly pool: EnginePool;
  /** Removed engines, too. */
  readonly every: SimEngine[];
  /** The context of calls to engines. */
  readonly called: OnCall;
}

export class Fleet {
  /** In the order of the plan. */
  readonly engines: SimEngine[] = [];
  readonly #parts: FleetParts;

  constructor(parts: FleetParts) {
    this.#parts = parts;
  }

  /** All engines of the plan, as after the start of a router. */
  addAll(): void {
    const { plan, pool } = this.#parts;
    for (const engine of plan.engines) this.#add(engine.id, engine);
    for (const engine of this.engines) engine.setCondition(engine.plan.conditions[0]!.kind);
    pool.settle();
  }

  /** The host name of the engines, if the plan has one. */
  findByName(): SimDns | undefined {
    const { plan, pool, journal } = this.#parts;
    if (plan.dns.length === 0) return undefined;
    return new SimDns({
      pool,
      note: (what, id) => journal.note(what, id),
      connect: (id, n) => {
        const engine = this.#create(id, plan.engines[n ?? 0]!);
        if (n === undefined) return engine; // it is never up
        const condition = this.engines[n]?.condition ?? 'WELL';
        this.engines[n] = engine;
        engine.onStart = () => engine.setCondition(condition);
        return engine;
      },
    });
  }

  /** Removes the engine, and puts another one in its slot. */
  replace(index: number): void {
    const { plan, pool } = this.#parts;
    const old = this.engines[index]!;
    pool.remove(old.id);
    const engine = this.#add(`${old.id}'`, plan.engines[index]!);
    engine.isLying = old.isLying;
    engine.setCondition(old.condition);
  }

  /** Sets the condition of its process: under each of its ids. */
  setCondition({ process }: SimEngine, condition: Condition): void {
    for (const engine of this.engines.filter((each) => each.process === process))
      this.#setConditionOf(engine, condition);
  }

  #setConditionOf(engine: SimEngine, condition: Condition): void {
    const { journal, pool } = this.#parts;
    journal.note('condition', engine.id, condition);
    engine.setCondition(condition === 'DRAINED' ? 'WELL' : condition);
    const pooled = pool.engines.find(({ id }) => id === engine.id);
    if (pooled !== undefined && pooled.isDraining !== (condition === 'DRAINED'))
      pool.setDraining(pooled, condition === 'DRAINED');
  }

  #create(id: string, engine: EnginePlan): SimEngine {
    const { random, plan, called, every } = this.#parts;
    const created = new SimEngine(id, engine, { random, plan, called });
    every.push(created);
    return created;
  }

  #add(id: string, plan: EnginePlan): SimEngine {
    const engine = this.#create(id, plan);
    const pooled = this.#parts.pool.add(engine);
    if (plan.limit !== undefined) {
      Object.assign(pooled, { limit: new ConcurrencyLimit({ initial: plan.limit, min: 1, max: 1_024 }) });
    }
    this.engines[Number(plan.id.slice(1))] = engine;
    return engine;
  }
}
