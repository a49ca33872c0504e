// Neurons that every importer accepts: uniform, without a leak potential, with gains that cancel the time step. The
// group is the setting, so the matrix shows which setting an importer uses.
import type { Random } from '../fuzz/random.ts';
import type { NodeSpec } from '../support/nir-writer.ts';
import { chain, node } from '../support/run-network.ts';
import type { CaseSpec, Settings } from './case-values.ts';
import { STEPS, WIDTH, list, rows, text } from './case-values.ts';

/** The fixed settings of the importers of snnTorch and SpikingJelly. */
const DT = 1e-4;
const TAU = 8 * DT;

const SETTINGS: readonly Settings[] = [
  { reset: 'value' },
  { reset: 'value', fire_at: 'reached' },
  { reset: 'subtract' },
  { reset: 'subtract_delayed' },
  { reset: 'subtract_delayed', emit: 'next_step' },
  { reset: 'subtract', spikes_per_step: 'multiple', fire_at: 'reached' },
];

export function plainCases(random: Random): CaseSpec[] {
  const every = (value: number): number[] => Array<number>(WIDTH).fill(value);
  const fire = { v_threshold: every(0.75), v_reset: every(0) };
  const leaky = { r: every(TAU / DT), v_leak: every(0), ...fire };
  const neurons: Readonly<Record<string, NodeSpec>> = {
    lif: node('LIF', { tau: every(TAU), ...leaky }),
    if: node('IF', { r: every(1 / DT), ...fire }),
    cubalif: node('CubaLIF', { tau_syn: every(TAU / 2), tau_mem: every(TAU), w_in: every(TAU / 2 / DT), ...leaky }),
  };
  return SETTINGS.flatMap((settings) =>
    Object.entries(neurons).map(([name, neuron]) => {
      const weight = { shape: [WIDTH, WIDTH], values: list(random, WIDTH * WIDTH, -0.5, 1) };
      const fc = node('Affine', { weight, bias: list(random, WIDTH, -0.1, 0.2) });
      const meant = Object.values(settings).join(', ');
      return {
        name: `plain-${name}-${meant}`.replaceAll(', ', '-').replaceAll('_', '-'),
        group: `plain: ${meant}`,
        graph: chain(WIDTH, WIDTH, { '0': fc, '1': neuron }),
        manifest: text({ ...settings, dt: DT }),
        input: rows(random, STEPS, WIDTH),
      };
    }),
  );
}
