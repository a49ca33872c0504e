// Where potentials start, their least value, neurons without a reset, and settings of single nodes.
import type { Random } from '../fuzz/random.ts';
import { chain } from '../support/run-network.ts';
import type { CaseSpec, Settings } from './case-values.ts';
import { WIDTH, affine, neuron, rows, text } from './case-values.ts';

const FIRING = ['LIF', 'IF', 'CubaLIF'];
const ALL = [...FIRING, 'LI', 'I', 'CubaLI'];

export function nodeCases(random: Random): CaseSpec[] {
  const one = (group: string, type: string, settings: Settings): CaseSpec => ({
    name: [group, type, ...Object.values(settings)].join('-').toLowerCase().replaceAll(/[_.]/g, '-'),
    group,
    graph: chain(WIDTH, WIDTH, { fc: affine(random), neuron: neuron(random, type) }),
    manifest: text(settings),
    input: rows(random),
  });
  return [
    ...FIRING.flatMap((type) => [
      one('reset: none', type, { reset: 'none', emit: 'same_step' }),
      one('reset: none', type, { reset: 'none', emit: 'next_step' }),
      one('reset: none', type, { reset: 'none', spikes_per_step: 'multiple' }),
      one('v_min', type, { v_min: 0.05, reset: 'subtract_delayed' }),
      one('v_min', type, { v_min: 0.05, reset: 'subtract', emit: 'next_step' }),
    ]),
    ...ALL.flatMap((type) => [
      one('v_min', type, { v_min: 0.05 }),
      one('v_start', type, { v_start: 'leak' }),
      one('v_start', type, { v_start: 'reset' }),
    ]),
    ...mixed(random),
  ].map((made) => ({ ...made, name: made.name.replaceAll(': ', '-') }));
}

/** Two layers that differ in a setting. */
function mixed(random: Random): CaseSpec[] {
  const differences: Readonly<Record<string, readonly [string, string]>> = {
    reset: ['reset: subtract_delayed', 'reset: none'],
    decay: ['decay: exponential', 'decay: euler'],
    gains: ['if_gain: unit, lif_gain: unit', 'lif_gain: decayed, synapse_gain: unit'],
    spikes: ['spikes_per_step: multiple, reset: subtract', 'fire_at: reached'],
    emit: ['emit: next_step', 'spikes_per_step: multiple'],
    potentials: ['v_start: leak, v_min: 0.05', 'v_start: reset'],
  };
  return FIRING.flatMap((type) =>
    Object.entries(differences).map(([name, [first, last]]) => {
      const inner = chain(WIDTH, WIDTH, { fc: affine(random), neuron: neuron(random, type) });
      return {
        name: `nodes-${type}-${name}`.toLowerCase(),
        group: 'settings of nodes',
        graph: chain(WIDTH, WIDTH, { a: inner, b: affine(random), c: neuron(random, type) }),
        manifest: text({ nodes: `{a/neuron: {${first}}, c: {${last}}}` }),
        input: rows(random),
      };
    }),
  );
}
