// An engine with session states: its model adds up all elements of all steps. It is easy to compute by hand, and its
// states have the form of proto/NUMERICS.md, "Session state".
import type { Inference, InferenceInput } from '../../services/core/inference.ts';
import { xxh64 } from '../../services/engines/xxh64.ts';
import { FakeEngine, fakeInference, fakeModel } from './fake-engine.ts';

const BODY_AT = 32;
/** model_id, steps, two spike counts, two potentials, and the sum as the only state. */
const BODY_BYTES = 8 + 4 + 8 + 8 + 8;
const SUM_AT = BODY_AT + 28;
const COUNTS_AT = BODY_AT + 12;

export interface Point {
  readonly steps: number;
  readonly sum: number;
}

/** `modelId`: of `fakeModel`, unless given. */
export function stateOf({ steps, sum }: Point, modelId = 7n, padding = 0): Buffer {
  const state = Buffer.alloc(BODY_AT + BODY_BYTES + padding + 8);
  state.write('TST1', 0);
  state.writeUInt32LE(BODY_BYTES, 4);
  state.writeBigUInt64LE(BigInt(steps), 8);
  state.writeBigUInt64LE(BigInt(10 * steps), 16);
  state.writeBigUInt64LE(modelId, BODY_AT);
  state.writeUInt32LE(steps, BODY_AT + 8);
  state.writeUInt32LE(Math.min(steps, Math.abs(sum) % (steps + 1)), COUNTS_AT);
  state.writeDoubleLE(sum, SUM_AT);
  state.writeBigUInt64LE(xxh64(state.subarray(0, state.length - 8)), state.length - 8);
  return state;
}

export function pointOf(state: Uint8Array): Point {
  const bytes = Buffer.from(state);
  return { steps: bytes.readUInt32LE(BODY_AT + 8), sum: bytes.readDoubleLE(SUM_AT) };
}

/** The correct answer. `stepsOf`: the steps of a constant input; 0: the input is a series. */
export function goOn(input: InferenceInput, constantSteps = 16, padding = 0): Inference {
  const { state = Buffer.alloc(0), data, shape } = input;
  const before = state.length === 0 ? { steps: 0, sum: 0 } : pointOf(state);
  const bytes = Buffer.from(data);
  let added = 0;
  for (let at = 0; at < bytes.length; at += 4) added += bytes.readFloatLE(at);
  const isConstant = constantSteps > 0;
  const steps = before.steps + (isConstant ? constantSteps : shape[0]!);
  const sum = before.sum + added * (isConstant ? constantSteps : 1);
  const after = stateOf({ steps, sum }, 7n, padding);
  const run = {
    steps,
    spikeCounts: [after.readUInt32LE(COUNTS_AT), 0],
    totalSpikes: BigInt(steps),
    synapticOperations: BigInt(10 * steps),
    stateDigest: xxh64(after.subarray(BODY_AT, BODY_AT + BODY_BYTES)),
    ...(input.returnState ? { state: after } : {}),
  };
  const whole = fakeInference(run);
  return input.digestOnly ? { ...whole, spikeCounts: [], potentials: new Uint8Array(0) } : whole;
}

/** `padding`: its states are larger by this number of bytes. */
export function statefulEngine(id: string, constantSteps = 16, padding = 0): FakeEngine {
  const engine = new FakeEngine(id);
  engine.takesStates = true;
  engine.behaviour = (input) => Promise.resolve(goOn(input, constantSteps, padding));
  return engine.up(fakeModel());
}
