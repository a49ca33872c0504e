// `readout_digest` of proto/NUMERICS.md, computed from what an engine returned: what it claims itself proves nothing.
import xxhash from 'xxhash-wasm';
import type { Inference } from '../core/inference.ts';

const { h64Raw } = await xxhash();

/** What is digested. */
type Readout = Pick<Inference, 'steps' | 'spikeCounts' | 'potentials' | 'totalSpikes' | 'synapticOperations'>;

export function readoutDigest(inference: Readout): bigint {
  const { steps, spikeCounts, potentials, totalSpikes, synapticOperations } = inference;
  const bytes = Buffer.allocUnsafe(4 + 4 * spikeCounts.length + potentials.length + 16);
  let at = bytes.writeUInt32LE(steps, 0);
  for (const count of spikeCounts) at = bytes.writeUInt32LE(count, at);
  bytes.set(potentials, at);
  at = bytes.writeBigUInt64LE(totalSpikes, at + potentials.length);
  bytes.writeBigUInt64LE(synapticOperations, at);
  return h64Raw(bytes);
}
