// An answer with a matching session state, of a model without state.
import type { Inference } from '../../services/core/inference.ts';
import { saveState } from '../../services/engines/local/session-state.ts';
import { xxh64 } from '../../services/engines/xxh64.ts';

export function fakeState(answer: Inference, modelId: bigint): Inference {
  const { steps, spikeCounts, potentials, totalSpikes, synapticOperations } = answer;
  const header = Buffer.alloc(12);
  header.writeBigUInt64LE(modelId, 0);
  header.writeUInt32LE(steps, 8);
  const body = Buffer.concat([header, Buffer.from(Uint32Array.from(spikeCounts).buffer), potentials]);
  const totals = { totalSpikes: Number(totalSpikes), synapticOperations: Number(synapticOperations), inputDigest: 0n };
  return { ...answer, stateDigest: xxh64(body), state: saveState(body, totals, new Float32Array(0)) };
}
