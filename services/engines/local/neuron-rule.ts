// How the neurons of a model compute where NIR leaves it open: proto/NUMERICS.md, "Conventions".
import type { Manifest } from '../../config/manifest.ts';

/** Of one element, with `spikes_per_step: multiple`; counts of a whole run fit 32 bits with it. */
export const MAX_SPIKES_PER_STEP = 4095;

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
}

/** Plain data: part of a network that is sent to workers. */
export interface NeuronRule extends FireRule {
  readonly lifGain: Manifest['lif_gain'];
  readonly synapseGain: Manifest['synapse_gain'];
}

export function neuronRule(manifest: Manifest): NeuronRule {
  const { reset } = manifest;
  return {
    toValue: reset === 'value' || reset === 'value_delayed',
    delayed: reset === 'subtract_delayed' || reset === 'value_delayed',
    late: manifest.emit === 'next_step',
    multiple: manifest.spikes_per_step === 'multiple',
    reached: manifest.fire_at === 'reached',
    lifGain: manifest.lif_gain,
    synapseGain: manifest.synapse_gain,
  };
}

/** Whether spikes are those of the manifest's defaults, whatever they reset to. */
export function isDefaultRule({ delayed, late, multiple, reached }: FireRule): boolean {
  return !delayed && !late && !multiple && !reached;
}
