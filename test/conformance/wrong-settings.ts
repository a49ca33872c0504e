// The effect of wrong settings: the shipped model on its held-out texts, with one setting changed.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { parseManifest } from '../../services/config/manifest.ts';
import { compileNetwork } from '../../services/engines/local/compile.ts';
import { Interrupt } from '../../services/engines/local/interrupt.ts';
import { Simulator } from '../../services/engines/local/simulator.ts';
import { readHeldout } from '../support/heldout.ts';

const MODEL = join(dirname(fileURLToPath(import.meta.url)), '../../deploy/models/supersense');

const CHANGES: readonly Readonly<Record<string, string | number>>[] = [
  {},
  { reset: 'value' },
  { reset: 'subtract_delayed' },
  { reset: 'value_delayed' },
  { dt: 2e-3 },
  { dt: 5e-4 },
  { dt: 1e-4 },
  { decay: 'exponential' },
  { lif_gain: 'unit' },
  { fire_at: 'reached' },
  { spikes_per_step: 'multiple' },
  { emit: 'next_step' },
];

/** For each change: its text, the accuracy, the share of answers that changed, and the spikes of a text. */
export function wrongSettings(): [string, string, string, string][] {
  const nir = readFileSync(join(MODEL, '1/model.nir'));
  const manifest = parse(readFileSync(join(MODEL, 'model.yaml'), 'utf8')) as Record<string, unknown>;
  const labels = readFileSync(join(MODEL, 'labels.txt'), 'utf8').trim().split('\n');
  const texts = readHeldout();
  const answers = (changes: (typeof CHANGES)[number]) => {
    const network = compileNetwork(nir, parseManifest(stringify({ ...manifest, ...changes })));
    const simulator = new Simulator(network);
    return texts.map(({ data }) => {
      const input = new Float32Array(Uint8Array.from(data).buffer);
      const { spikeCounts, totalSpikes } = simulator.run(input, network.steps, Interrupt.never());
      return { label: labels[spikeCounts.indexOf(Math.max(...spikeCounts))], totalSpikes };
    });
  };
  const right = answers({});
  const percent = (count: number): string => `${((100 * count) / texts.length).toFixed(1)} %`;
  return CHANGES.map((changes) => {
    const given = answers(changes);
    const name = Object.entries(changes).map(([key, value]) => `${key}: ${value}`);
    return [
      name[0] ?? 'as shipped',
      percent(given.filter(({ label }, n) => label === texts[n]!.label).length),
      percent(given.filter(({ label }, n) => label !== right[n]!.label).length),
      (given.reduce((sum, { totalSpikes }) => sum + totalSpikes, 0) / texts.length).toFixed(0),
    ];
  });
}
