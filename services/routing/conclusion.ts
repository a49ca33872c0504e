// Computes label, scores and confidence from an engine's raw result. Done once, here, so that engines only need to
// agree on bits.
import type { ReadoutFrom } from '../config/readout.ts';
import type { Inference } from '../core/inference.ts';

export interface ReadoutSpec {
  readonly from: ReadoutFrom;
  readonly labels: readonly string[];
  /** Divides the readout before the softmax; fitted for calibration. */
  readonly temperature: number;
}

export interface Conclusion {
  /** Empty if the model has no labels. */
  readonly label: string;
  readonly labelIndex: number;
  /** 0 to 1: the score of `label`. */
  readonly confidence: number;
  /** softmax(readout / temperature); sums to 1. */
  readonly scores: readonly number[];
}

export function conclude(inference: Inference, spec: ReadoutSpec): Conclusion {
  const readout: readonly number[] =
    spec.from === 'spike_count' ? inference.spikeCounts : toNumbers(inference.potentials);
  let labelIndex = 0;
  // On a tie the first one wins, on every router.
  for (let k = 1; k < readout.length; k += 1) if ((readout[k] ?? 0) > (readout[labelIndex] ?? 0)) labelIndex = k;
  const largest = readout[labelIndex] ?? 0;
  const exponentials = readout.length <= kept.length ? kept : new Float64Array(readout.length);
  let total = 0;
  for (let k = 0; k < readout.length; k += 1) {
    exponentials[k] = Math.exp((readout[k]! - largest) / spec.temperature);
    total += exponentials[k]!;
  }
  // Starts as an array of fractions: V8 then uses its final representation from the start.
  const scores = readout.length <= FRACTIONS.length ? FRACTIONS.slice(0, readout.length) : Array.from(exponentials);
  for (let k = 0; k < scores.length; k += 1) scores[k] = exponentials[k]! / total;
  return { label: spec.labels[labelIndex] ?? '', labelIndex, confidence: scores[labelIndex] ?? 0, scores };
}

/** For answers of usual size. */
const kept = new Float64Array(1_024);
const FRACTIONS: readonly number[] = Array.from(kept, () => 0.5);

function toNumbers(littleEndian: Uint8Array): number[] {
  const view = new DataView(littleEndian.buffer, littleEndian.byteOffset, littleEndian.byteLength);
  return Array.from({ length: littleEndian.byteLength / 4 }, (_, k) => view.getFloat32(k * 4, true));
}
