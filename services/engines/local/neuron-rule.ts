// How the neurons of a model compute where NIR leaves it open: proto/NUMERICS.md, "Conventions".
import type { Manifest, NeuronSettings } from '../../config/manifest.ts';

/** Of one element, with `spikes_per_step: multiple`; counts of a whole run fit 32 bits with it. */
export const MAX_SPIKES_PER_STEP = 4095;

/** Those of `nodes` before those of the whole model. */
export function settingsOf(manifest: Manifest, node: string): NeuronSettings {
  const { nodes = {} } = manifest;
  return Object.hasOwn(nodes, node) ? { ...manifest, ...nodes[node] } : manifest;
}

export interface FireRule {
  /** A spike resets to `v_reset`; otherwise the threshold is subtracted. */
  readonly toValue: boolean;
  /** The reset of a spike takes place in the next step. */
  readonly delayed: boolean;
  /** A potential fires in the next step, before the update. */
  readonly late: boolean;
  /** A potential that holds several thresholds puts out a spike for each. */
  readonly multiple: boolean;
  /** A potential that equals its threshold fires. */
  readonly reached: boolean;
  /** A spike changes the potential. */
  readonly resets: boolean;
}

/** Of the neurons of one node. Plain data: part of a network that is sent to workers. */
export interface NeuronRule extends FireRule {
  readonly lifGain: NeuronSettings['lif_gain'];
  readonly synapseGain: NeuronSettings['synapse_gain'];
  /** Potentials have a least value. */
  readonly hasMin: boolean;
}

export function neuronRule(settings: NeuronSettings): NeuronRule {
  const { reset } = settings;
  return {
    toValue: reset === 'value' || reset === 'value_delayed',
    delayed: reset === 'subtract_delayed' || reset === 'value_delayed',
    late: settings.emit === 'next_step',
    multiple: settings.spikes_per_step === 'multiple',
    reached: settings.fire_at === 'reached',
    resets: reset !== 'none',
    lifGain: settings.lif_gain,
    synapseGain: settings.synapse_gain,
    hasMin: settings.v_min !== undefined,
  };
}

/** Whether spikes are those of the manifest's defaults, whatever they reset to. */
export function isDefaultRule({ delayed, late, multiple, reached, resets }: FireRule): boolean {
  return !delayed && !late && !multiple && !reached && resets;
}
