// A conformance case on the local engine's simulator.
import { parseManifest } from '../../services/config/manifest.ts';
import { compileNetwork } from '../../services/engines/local/compile.ts';
import { Interrupt } from '../../services/engines/local/interrupt.ts';
import { Simulator } from '../../services/engines/local/simulator.ts';
import type { CaseFile, NodeTrace, Outcome } from './case-file.ts';

/** Nine digits identify every binary32 number. */
function digits(values: Float32Array): number[] {
  return Array.from(values, (value) => Number(value.toPrecision(9)));
}

export function runLocally(nir: Uint8Array, { manifest, input }: Pick<CaseFile, 'manifest' | 'input'>): Outcome {
  const network = compileNetwork(nir, parseManifest(manifest));
  const simulator = new Simulator(network);
  const nodes: Record<string, NodeTrace> = {};
  for (const { name } of network.nodes) nodes[name] = { output: [] };
  const steps = network.inputKind === 'series' ? input.length : network.steps;
  const result = simulator.run(Float32Array.from(input.flat()), steps, Interrupt.never(), () => {
    for (const { name, y, i, v } of simulator.nodes) {
      const trace = nodes[name]!;
      trace.output.push(digits(y));
      if (i.length > 0) trace.i = digits(i);
      if (v.length > 0) trace.v = digits(v);
    }
  });
  return {
    nodes,
    spike_counts: [...result.spikeCounts],
    potentials: digits(result.potentials),
    total_spikes: result.totalSpikes,
    synaptic_operations: result.synapticOperations,
    state_digest: result.stateDigest.toString(16).padStart(16, '0'),
  };
}
