// Encodes a learner's whole state as little-endian bytes, for commits and for comparison in a replay.
import type { Learner } from './learner.ts';

type Numbers = Float32Array | Float64Array;

export function stateBytes(learner: Learner): Buffer {
  const { readout, tally } = learner;
  const counts = [readout.steps, tally.labelled, tally.unlabelled, tally.studentRight, tally.consensusRight];
  return Buffer.concat([bytesOf(Float64Array.from(counts)), ...arraysOf(learner).map(bytesOf)]);
}

/** `bytes`: of a learner with the same spec. Throws if the length differs. */
export function restoreState(learner: Learner, bytes: Uint8Array): void {
  const { readout, tally } = learner;
  const counts = new Float64Array(5);
  const arrays: readonly Numbers[] = [counts, ...arraysOf(learner)];
  const length = arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (bytes.length !== length) throw new Error(`a state of ${bytes.length} bytes; this student's has ${length}`);
  let at = 0;
  for (const array of arrays) {
    bytesOf(array).set(bytes.subarray(at, at + array.byteLength));
    at += array.byteLength;
  }
  [readout.steps, tally.labelled, tally.unlabelled, tally.studentRight, tally.consensusRight] = counts as unknown as [
    number,
    number,
    number,
    number,
    number,
  ];
}

function arraysOf({ readout, teachers, tally }: Learner): readonly Numbers[] {
  const { weights, bias, meanWeights, meanBias } = readout;
  const { regrets, squares, rounds } = teachers;
  return [regrets, squares, rounds, tally.teacherRight, weights, bias, meanWeights, meanBias];
}

function bytesOf({ buffer, byteOffset, byteLength }: Numbers): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
