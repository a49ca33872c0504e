// Checks that faulty engines, waiting votes and changing names do not affect other requests.
import type { EnginePool } from '../../services/engines/pool.ts';
import type { PooledEngine } from '../../services/engines/pooled-engine.ts';
import type { RouterError } from '../../services/core/errors.ts';
import type { SentRequest } from './attempts.ts';
import { Broken } from './invariants.ts';
import type { SchedulePlan } from './plan.ts';
import type { SimEngine } from './sim-engine.ts';
import { clock } from './virtual-clock.ts';

/** A free engine is found at once; the events of one moment may come in any order. */
const SERVED_WITHIN_MS = 1;
/**
 * After this number of time-outs in a row, with this time between the first and the last, an engine must be excluded.
 * Not before: with twenty open requests, a time-out of 350 ms may just be the time of the queue.
 */
const OUT_AFTER_MS = 1_000;

export class GreyChecks {
  readonly #plan: SchedulePlan;
  readonly #pool: EnginePool;
  #waitingSinceMs = Infinity;
  #roomSinceMs = Infinity;
  /** Number of time-outs since the last answer of each engine, and the times of the first and the last. */
  readonly #timedOut = new Map<string, { count: number; readonly sinceMs: number; lastMs: number }>();

  constructor(plan: SchedulePlan, pool: EnginePool) {
    this.#plan = plan;
    this.#pool = pool;
  }

  /** Call this after each step. Throws Broken. */
  checkQueue(waiting: number): void {
    if (waiting === 0) this.#waitingSinceMs = clock.nowMs;
    const freeEngine = waiting === 0 ? undefined : this.#pool.engines.find((engine) => this.#hasRoom(engine));
    if (freeEngine === undefined) this.#roomSinceMs = Infinity;
    else this.#roomSinceMs = Math.min(this.#roomSinceMs, clock.nowMs);
    if (clock.nowMs - this.#roomSinceMs > SERVED_WITHIN_MS)
      throw new Broken('queue', `${waiting} requests wait although "${freeEngine?.id}" has room`);
  }

  /** A request waits for the engines that were ready when it began. */
  #hasRoom({ isAvailable, availableSlots, readySinceMs }: PooledEngine): boolean {
    return isAvailable && availableSlots > 0 && readySinceMs <= this.#waitingSinceMs;
  }

  /** Throws Broken. */
  checkFailure({ number, plan }: SentRequest, error: RouterError): void {
    if (plan.leavesAfterMs !== undefined || plan.timeoutMs < this.#plan.patientMs) return;
    throw new Broken('grey', `request ${number} (${plan.strategy}, ${plan.timeoutMs} ms): ${error.message}`);
  }

  /** Call this before an engine gets a request. Throws Broken. */
  checkOut({ id, isHung }: SimEngine): void {
    const timedOut = this.#timedOut.get(id);
    if (this.#plan.patientMs === Infinity || !isHung || timedOut === undefined) return;
    const pooled = this.#pool.engines.find((each) => each.id === id);
    if (pooled === undefined || pooled.isPanicking || pooled.breaker.state !== 'CLOSED') return;
    const forMs = timedOut.lastMs - timedOut.sinceMs;
    if (timedOut.count >= this.#plan.breaker.minRequests && forMs > OUT_AFTER_MS) {
      throw new Broken(
        'out',
        `"${id}" is in use after ${timedOut.count} time-outs in a row in ${Math.round(forMs)} ms`,
      );
    }
  }

  noteOutcome({ id }: SimEngine, outcome: string): void {
    if (outcome === 'OK') this.#timedOut.delete(id);
    if (outcome !== 'DEADLINE_EXCEEDED') return;
    const timedOut = this.#timedOut.get(id);
    if (timedOut === undefined) this.#timedOut.set(id, { count: 1, sinceMs: clock.nowMs, lastMs: clock.nowMs });
    else {
      timedOut.count += 1;
      timedOut.lastMs = clock.nowMs;
    }
  }
}
