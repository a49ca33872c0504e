// The network that balances the pole. It is written by hand, not trained. Its input is an angle and a distance, but no
// speed. Leaky membranes ("before") remember earlier inputs, and the difference to the present input gives the speed.
// Neurons with graded thresholds, half of them for each direction, turn that into spikes: each spike is a share of the
// force.
import { type GraphSpec, dims } from '../../support/nir-writer.ts';

/** Neurons that push to one side. */
const A_SIDE = 16;
export const NEURONS = 2 * A_SIDE;
/** Newtons of one spike. */
const SPIKE_N = 1.25;

/** Newtons per radian, radian per second, metre, and metre per second. */
const GAIN = { angle: 68, turning: 19, position: 2, speed: 15 };
/** Time constant of the membranes, seconds. */
const REMEMBERS_S = { position: 0.05, angle: 0.06 };
const NEURON_S = 0.012;

export const ROBOT_MANIFEST = 'dt: 0.01\ninput: {kind: series}\n';

export function robotGraph(): GraphSpec {
  const now = [GAIN.position + GAIN.speed / REMEMBERS_S.position, GAIN.angle + GAIN.turning / REMEMBERS_S.angle];
  const before = [-GAIN.speed / REMEMBERS_S.position, -GAIN.turning / REMEMBERS_S.angle];
  const signs = Array.from({ length: NEURONS }, (_, index) => (index < A_SIDE ? -1 : 1));
  const weights = (gains: readonly number[]) => ({
    shape: [NEURONS, 2],
    values: signs.flatMap((sign) => gains.map((gain) => (sign * gain) / SPIKE_N)),
  });
  const each = (value: number): number[] => Array<number>(NEURONS).fill(value);
  // The outermost neurons, at both ends, need the strongest drive.
  const thresholds = signs.map((sign, index) => (sign < 0 ? A_SIDE - index : index - A_SIDE + 1) - 0.5);
  return {
    type: 'NIRGraph',
    nodes: {
      input: { type: 'Input', fields: { shape: dims(2) } },
      now: { type: 'Linear', fields: { weight: weights(now) } },
      remembered: {
        type: 'LI',
        fields: { tau: [REMEMBERS_S.position, REMEMBERS_S.angle], r: [1, 1], v_leak: [0, 0] },
      },
      before: { type: 'Linear', fields: { weight: weights(before) } },
      neurons: {
        type: 'LIF',
        fields: {
          ...{ tau: each(NEURON_S), r: each(1), v_leak: each(0) },
          ...{ v_threshold: thresholds, v_reset: each(0) },
        },
      },
      output: { type: 'Output', fields: { shape: dims(NEURONS) } },
    },
    edges: [
      ['input', 'now'],
      ['input', 'remembered'],
      ['remembered', 'before'],
      ['now', 'neurons'],
      ['before', 'neurons'],
      ['neurons', 'output'],
    ],
  };
}

/** The force of the spikes of one step, newtons. */
export function forceOf(spikes: readonly number[]): number {
  return spikes.reduce((sum, count, index) => sum + (index < A_SIDE ? -count : count), 0) * SPIKE_N;
}
