// Answers on their way from a simulation worker: one block of bytes, for the reason of packed-batch.ts. Answers that are rare, such
// as failures and those with a state, travel as objects.
import type { Answer } from './messages.ts';

/** Transferred, not copied. */
export interface PackedAnswers {
  readonly bytes: ArrayBuffer;
  readonly others: readonly Answer[];
}

/** `batchDone` on the last answers to a batch. */
export interface FromSimulation extends PackedAnswers {
  readonly batchDone: boolean;
}

/** Binary64 numbers of an answer, followed by two digests of 8 bytes, the spike counts and the potentials. */
const NUMBERS = 8;
const HEAD_BYTES = 8 * (NUMBERS + 2);

type Plain = Answer & { readonly outcome: Exclude<Answer['outcome'], { kind: unknown }> };

function isPlain(answer: Answer): answer is Plain {
  const { outcome } = answer;
  if ('kind' in outcome) return false;
  return outcome.layers === undefined && outcome.readoutPerStep === undefined && outcome.state === undefined;
}

const bytesOf = ({ outcome }: Plain): number => HEAD_BYTES + 8 * outcome.potentials.length;

export function packAnswers(answers: readonly Answer[]): PackedAnswers {
  const plain = answers.filter(isPlain);
  const bytes = new ArrayBuffer(plain.reduce((sum, answer) => sum + bytesOf(answer), 0));
  const { numbers, digests, counts, floats } = viewsOf(bytes);
  let at = 0;
  for (const answer of plain) {
    const { slot, recording, queueUs, computeUs, outcome } = answer;
    const { steps, totalSpikes, synapticOperations, spikeCounts, potentials } = outcome;
    const size = potentials.length;
    const head = [slot, recording, queueUs, computeUs, steps, totalSpikes, synapticOperations, size];
    numbers.set(head, at / 8);
    digests[at / 8 + NUMBERS] = outcome.stateDigest;
    digests[at / 8 + NUMBERS + 1] = outcome.readoutDigest;
    counts.set(spikeCounts, (at + HEAD_BYTES) / 4);
    floats.set(potentials, (at + HEAD_BYTES) / 4 + size);
    at += bytesOf(answer);
  }
  return { bytes, others: plain.length === answers.length ? [] : answers.filter((answer) => !isPlain(answer)) };
}

/** Packed ones first. Their arrays are copies, so an answer that is kept does not keep the others of its batch. */
export function unpackAnswers({ bytes, others }: PackedAnswers): readonly Answer[] {
  const { numbers, digests, counts, floats } = viewsOf(bytes);
  const answers: Answer[] = [];
  for (let at = 0; at < bytes.byteLength;) {
    const first = at / 8;
    const size = numbers[first + 7]!;
    const arrays = (at + HEAD_BYTES) / 4;
    answers.push({
      slot: numbers[first]!,
      recording: numbers[first + 1]!,
      queueUs: numbers[first + 2]!,
      computeUs: numbers[first + 3]!,
      outcome: {
        steps: numbers[first + 4]!,
        totalSpikes: numbers[first + 5]!,
        synapticOperations: numbers[first + 6]!,
        stateDigest: digests[first + NUMBERS]!,
        readoutDigest: digests[first + NUMBERS + 1]!,
        spikeCounts: counts.slice(arrays, arrays + size),
        potentials: floats.slice(arrays + size, arrays + 2 * size),
      },
    });
    at += HEAD_BYTES + 8 * size;
  }
  return others.length === 0 ? answers : [...answers, ...others];
}

function viewsOf(bytes: ArrayBuffer) {
  return {
    numbers: new Float64Array(bytes),
    digests: new BigUint64Array(bytes),
    counts: new Uint32Array(bytes),
    floats: new Float32Array(bytes),
  };
}
