import { describe, expect, it } from '@jest/globals';
import { parseManifest } from './manifest.ts';

const minimal = 'dt: 1e-3\nsteps: 16\n';

describe('model.yaml', () => {
  it('uses defaults for missing keys', () => {
    expect(parseManifest('{}')).toEqual({
      dt: 0.001,
      steps: 16,
      reset: 'value',
      lif_gain: 'dt',
      synapse_gain: 'dt',
      decay: 'euler',
      spikes_per_step: 'single',
      fire_at: 'above',
      emit: 'same_step',
      v_start: 'zero',
      input: { kind: 'constant' },
      readout: { from: 'spike_count' },
      temperature: 1,
    });
  });

  it('accepts every setting of the contract', () => {
    const text = `
name: supersense
dt: 1e-3
steps: 16
reset: subtract
if_gain: unit
input: {shape: [768], kind: constant}
readout: {node: output, from: mean_potential}
labels: labels.txt
temperature: 2.5
golden: golden.json
`;
    expect(parseManifest(text)).toMatchObject({ name: 'supersense', reset: 'subtract', input: { shape: [768] } });
  });

  it.each([
    ['an unknown key', `${minimal}stepz: 3`, 'model.yaml: key "stepz": is not a setting'],
    ['an unknown nested key', `${minimal}input: {knd: series}`, 'key "input.knd": is not a setting'],
    ['a dt of zero', 'dt: 0\nsteps: 1', 'key "dt"'],
    [
      'an encoder without a series',
      'encoder: {kind: rate}',
      'key "input.kind": must be series, since encoder makes a series',
    ],
    ['an unknown encoder', 'encoder: {kind: burst}', 'key "encoder.kind"'],
    ['events without a width', 'events: {bin_us: 5, height: 3}', 'key "events.width"'],
    ['a dt that is text', 'dt: fast\nsteps: 1', 'key "dt"'],
    ['an infinite dt', 'dt: .inf\nsteps: 1', 'key "dt"'],
    ['too many steps', 'dt: 1\nsteps: 100001', 'key "steps"'],
    ['a fractional step count', 'dt: 1\nsteps: 1.5', 'key "steps"'],
    ['an unknown reset', `${minimal}reset: zero`, 'key "reset"'],
    ['text that is not YAML', 'a: [', 'model.yaml: '],
  ])('refuses %s and names the key', (_, text, message) => {
    expect(() => parseManifest(text)).toThrow(message);
  });
});
