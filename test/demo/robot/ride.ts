// One ride of the robot: at each step it sends its input, and the network's spikes give the force on its cart.
import { CacheMode, Strategy } from '../../../services/generated/tandem/v1/types.ts';
import type { ReasonResponse } from '../../../services/generated/tandem/v1/reasoning.ts';
import type { System } from '../../support/system.ts';
import type { CartPole } from './cart-pole.ts';
import { NEURONS, forceOf } from './network.ts';

export const ROBOT = 'robot';
const REQUEST = { model: ROBOT, strategy: Strategy.STRATEGY_ROUND_ROBIN, cache: CacheMode.CACHE_MODE_BYPASS };

interface RideOptions {
  readonly steps: number;
  /** Undefined: each step begins with empty membranes. */
  readonly session?: string;
  /** Time between two steps; undefined: as fast as possible. */
  readonly stepMs?: number;
  readonly before?: (step: number) => void;
  readonly after?: (step: number, ride: Ride) => void;
}

/** The data after a step. */
export class Ride {
  /** The robot's inputs, [steps, 2]. */
  readonly seen: number[] = [];
  /** Spikes of each neuron in each step. */
  readonly raster: number[][] = [];
  readonly answers: ReasonResponse[] = [];
  /** From a step's due time to its answer. */
  readonly tookMs: number[] = [];
  hasFallen = false;
  /** The reason why a step was not answered; empty: all were answered. */
  failure = '';
}

/**
 * Ends when the pole falls or a step fails. The simulation waits for each answer, so the same seed gives the same ride.
 */
export async function ride(system: System, world: CartPole, options: RideOptions): Promise<Ride> {
  const { steps, session, stepMs = 0, before, after } = options;
  const done = new Ride();
  let counts = Array<number>(NEURONS).fill(0);
  let dueMs = performance.now();
  for (let step = 0; step < steps && !world.hasFallen; step += 1) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
    before?.(step);
    done.seen.push(...world.seen);
    let answer: ReasonResponse;
    try {
      answer = await system.reason({
        ...{ ...REQUEST, tensor: tensorOf(world.seen, 1) },
        session: session === undefined ? undefined : toSession(session, step, steps),
      });
    } catch (error) {
      done.failure = `step ${step}: ${(error as Error).message}`;
      break;
    }
    done.tookMs.push(performance.now() - dueMs);
    // In a session they are those of all steps so far.
    const spikes = answer.spikeCounts.map((count, neuron) => (session === undefined ? count : count - counts[neuron]!));
    counts = answer.spikeCounts;
    done.answers.push(answer);
    done.raster.push(spikes);
    world.move(forceOf(spikes));
    after?.(step, done);
    dueMs = Math.max(dueMs + stepMs, performance.now());
  }
  done.hasFallen = world.hasFallen;
  return done;
}

function toSession(id: string, step: number, steps: number) {
  return { id, state: Buffer.alloc(0), returnState: false, expectedStep: step, close: step === steps - 1 };
}

/** All steps of a ride in one run, on one engine. */
export async function askWhole(system: System, { seen }: Ride): Promise<ReasonResponse> {
  return await system.reason({ ...REQUEST, tensor: tensorOf(seen, seen.length / 2) });
}

function tensorOf(values: readonly number[], steps: number): { shape: number[]; dtype: string; data: Buffer } {
  return { shape: [steps, 2], dtype: 'FP32', data: Buffer.from(Float32Array.from(values).buffer) };
}
