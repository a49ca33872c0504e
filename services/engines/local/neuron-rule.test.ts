import { describe, expect, it } from '@jest/globals';
import { parseManifest } from '../../config/manifest.ts';
import { type NeuronRule, isDefaultRule, neuronRule, settingsOf } from './neuron-rule.ts';

const plain: NeuronRule = {
  ...{ toValue: true, delayed: false, late: false, multiple: false, reached: false, resets: true },
  ...{ lifGain: 'dt', synapseGain: 'dt', hasMin: false },
};

const ruleOf = (settings: string, node = 'n'): NeuronRule => {
  return neuronRule(settingsOf(parseManifest(`dt: 1\n${settings}`), node));
};

describe('neuronRule', () => {
  it.each<[string, Partial<NeuronRule>]>([
    ['', {}],
    ['reset: subtract', { toValue: false }],
    ['reset: subtract_delayed', { toValue: false, delayed: true }],
    ['reset: value_delayed', { delayed: true }],
    ['reset: none', { toValue: false, resets: false }],
    ['emit: next_step', { late: true }],
    ['spikes_per_step: multiple\nreset: subtract', { multiple: true, toValue: false }],
    ['fire_at: reached', { reached: true }],
    ['lif_gain: unit', { lifGain: 'unit' }],
    ['synapse_gain: decayed', { synapseGain: 'decayed' }],
    ['v_min: 0', { hasMin: true }],
  ])('follows "%s"', (settings, expected) => {
    expect(ruleOf(settings)).toEqual({ ...plain, ...expected });
  });

  it('prefers the settings of the node', () => {
    const settings = 'reset: subtract\nnodes: {n: {reset: none}, other: {emit: next_step}}';
    expect(ruleOf(settings)).toEqual({ ...plain, toValue: false, resets: false });
    expect(ruleOf(settings, 'third')).toEqual({ ...plain, toValue: false });
    expect(ruleOf(settings, 'toString')).toEqual({ ...plain, toValue: false });
  });
});

describe('isDefaultRule', () => {
  it('is true whatever the reset sets the potential to', () => {
    expect([isDefaultRule(plain), isDefaultRule({ ...plain, toValue: false })]).toEqual([true, true]);
  });

  it.each(['delayed', 'late', 'multiple', 'reached'] as const)('is false if %s', (field) => {
    expect(isDefaultRule({ ...plain, [field]: true })).toBe(false);
  });

  it('is false without a reset', () => {
    expect(isDefaultRule({ ...plain, resets: false })).toBe(false);
  });
});
