// Computes `readout_digest` of proto/NUMERICS.md from an engine's answer: the digest that the engine claims proves
// nothing.
import xxhash from 'xxhash-wasm';
import type { Inference } from '../core/inference.ts';

const { h64Raw } = await xxhash();

/** The digested bytes. */
type Readout = Pick<Inference, 'steps' | 'spikeCounts' | 'potentials' | 'totalSpikes' | 'synapticOperations'>;

/** Reused, because every answer is digested. */
const KEPT_BYTES = 65_536;
const kept = viewsOf(new ArrayBuffer(KEPT_BYTES));

/** Typed arrays are little-endian on every platform of Node.js. */
interface Views {
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
  readonly totals: DataView;
}

function viewsOf(memory: ArrayBuffer): Views {
  return { words: new Uint32Array(memory), bytes: new Uint8Array(memory), totals: new DataView(memory) };
}

export function readoutDigest(inference: Readout): bigint {
  const { steps, spikeCounts, potentials, totalSpikes, synapticOperations } = inference;
  const length = 4 + 4 * spikeCounts.length + potentials.length + 16;
  const { words, bytes, totals } = length <= KEPT_BYTES ? kept : viewsOf(new ArrayBuffer(length));
  words[0] = steps;
  for (let k = 0; k < spikeCounts.length; k += 1) words[k + 1] = spikeCounts[k]!;
  bytes.set(potentials, 4 + 4 * spikeCounts.length);
  totals.setBigUint64(length - 16, totalSpikes, true);
  totals.setBigUint64(length - 8, synapticOperations, true);
  return h64Raw(bytes.subarray(0, length));
}
