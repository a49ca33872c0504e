// Kinds of readout: proto/NUMERICS.md, "What a run returns". Simulating threads import this file, so it imports
// nothing.

/** Their order is part of a model's identity. */
export const READOUTS = ['spike_count', 'mean_potential', 'last_potential', 'max_potential', 'first_spike'] as const;
export type ReadoutFrom = (typeof READOUTS)[number];

/** True for kinds that read spikes, not potentials. */
export function readsSpikes(from: ReadoutFrom): boolean {
  return from === 'spike_count' || from === 'first_spike';
}
