// `readout_digest` of proto/NUMERICS.md, computed from what an engine returned: what it claims itself proves nothing.
import xxhash from 'xxhash-wasm';
import type { Inference } from '../core/inference.ts';

const { h64Raw } = await xxhash();

/** What is digested. */
type Readout = Pick<Inference, 'steps' | 'spikeCounts' | 'potentials' | 'totalSpikes' | 'synapticOperations'>;

/** Every answer is digested, so the memory for it is kept. */
const KEPT_BYTES = 65_536;
const kept = new ArrayBuffer(KEPT_BYTES);

export function readoutDigest(inference: Readout): bigint {
  const { steps, spikeCounts, potentials, totalSpikes, synapticOperations } = inference;
  const length = 4 + 4 * spikeCounts.length + potentials.length + 16;
  const memory = length <= KEPT_BYTES ? kept : new ArrayBuffer(length + (-length & 3));
  // Typed arrays are little-endian wherever Node.js runs.
  const words = new Uint32Array(memory);
  words[0] = steps;
  words.set(spikeCounts, 1);
  const bytes = new Uint8Array(memory, 0, length);
  bytes.set(potentials, 4 + 4 * spikeCounts.length);
  const totals = new DataView(memory, length - 16, 16);
  totals.setBigUint64(0, totalSpikes, true);
  totals.setBigUint64(8, synapticOperations, true);
  return h64Raw(bytes);
}
