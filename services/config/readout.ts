// What a readout is made of: proto/NUMERICS.md, "What a run returns". Threads that simulate import it, so it imports nothing.

/** Their order is part of a model's identity. */
export const READOUTS = ['spike_count', 'mean_potential', 'last_potential', 'max_potential', 'first_spike'] as const;
export type ReadoutFrom = (typeof READOUTS)[number];

/** Made of spikes, and not of potentials. */
export function readsSpikes(from: ReadoutFrom): boolean {
  return from === 'spike_count' || from === 'first_spike';
}
