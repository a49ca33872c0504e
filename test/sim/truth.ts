// The correct result for an input: an answer or a refusal.
import { RouterError } from '../../services/core/errors.ts';
import type { Inference } from '../../services/core/inference.ts';
import { readoutDigest } from '../../services/engines/readout-digest.ts';
import type { SchedulePlan } from './plan.ts';

export const OUTPUTS = 4;
const STEPS = 16;
const POTENTIALS = new Uint8Array(4 * OUTPUTS);
const MOST_UINT64 = 2n ** 64n - 1n;

export type Said = Inference | RouterError;

const answers = new Map<number, Inference>();

export function truthOf({ refused }: Pick<SchedulePlan, 'refused'>, input: number): Said {
  return refused.includes(input) ? refusalOf(input) : answerTo(input);
}

/** `salt` 0: the correct refusal. */
export function refusalOf(input: number, salt = 0): RouterError {
  const metadata = { step: String((Math.abs(input) + salt) % STEPS), node: `node ${salt}` };
  return new RouterError('NON_FINITE', 'a state is not finite', { metadata });
}

/** `salt` 0: the correct answer. */
export function answerTo(input: number, salt = 0): Inference {
  const key = input * 100_000 + salt;
  let answer = answers.get(key);
  if (answer === undefined) {
    const right = Math.abs(input) % OUTPUTS;
    const top = (right + (salt === 0 ? 0 : 1 + (salt % (OUTPUTS - 1)))) % OUTPUTS;
    const spikeCounts = Array.from({ length: OUTPUTS }, (_, k) => (k === top ? 9 : k) + (salt > 0 ? salt % 7 : 0));
    const stateDigest = BigInt.asUintN(64, (BigInt(input) + 3n) * 0x9e3779b97f4a7c15n + BigInt(salt));
    answer = signed({
      ...{ modelVersion: 1, steps: STEPS, spikeCounts, potentials: POTENTIALS, totalSpikes: BigInt(10 + salt) },
      ...{ synapticOperations: 40n, recordingId: 0n, stateDigest, readoutDigest: 0n },
      ...{ queueUs: 1, computeUs: 2, batchItems: 1 },
    });
    answers.set(key, answer);
  }
  return answer;
}

/** Answers that no run can have; `which` is taken modulo their number. */
export function malformed(truth: Inference, which: number): Said {
  const shapes: readonly (() => Said)[] = [
    () => ({ ...truth, spikeCounts: [...truth.spikeCounts, 1] }),
    () => signed({ ...truth, spikeCounts: truth.spikeCounts.slice(1) }),
    () => signed({ ...truth, spikeCounts: truth.spikeCounts.map(() => STEPS + 1) }),
    () => signed({ ...truth, potentials: new Uint8Array(new Float32Array(OUTPUTS).fill(NaN).buffer) }),
    () => signed({ ...truth, potentials: truth.potentials.slice(1) }),
    () => signed({ ...truth, totalSpikes: MOST_UINT64 }),
    () => signed({ ...truth, synapticOperations: MOST_UINT64 }),
    () => signed({ ...truth, steps: 0 }),
    () => signed({ ...truth, modelVersion: 2 }),
    () => ({ ...truth, readoutDigest: truth.readoutDigest ^ 1n }),
    () => new RouterError('ENGINE_FAULT', 'malformed', { metadata: { malformed: 'no answer' } }),
  ];
  return shapes[which % shapes.length]!();
}

function signed(said: Inference): Inference {
  return { ...said, readoutDigest: readoutDigest(said) };
}
