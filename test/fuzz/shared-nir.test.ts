// Real NIR files with published results, where they are at hand, on the local engine and on a real sidecar.
import { describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Inference } from '../../services/core/inference.ts';
import type { Engine } from '../../services/engines/engine.ts';
import { ModelFolder } from '../support/model-folder.ts';
import { readNpy } from '../support/npy.ts';
import { withEngines } from './compare.ts';
import {
  BEST,
  EVERY_STEP,
  RANDOM_PIECES,
  cut,
  emptySessionTally,
  outcomeOf,
  runPieces,
  textOf,
  withMovers,
} from './compare-sessions.ts';
import { Random } from './random.ts';

const FILES = new URL('../../../shared/nir/', import.meta.url);
const SERIES = 'dt: 1e-4\ninput: {kind: series}\n';

/** Each engine's answers to the first 1, 2, 3, … steps of a series: what the network does, step by step. */
async function askPrefixes(
  manifest: string,
  nir: string,
  channels: number,
  rows: Float32Array,
): Promise<Inference[][]> {
  const folder = new ModelFolder().add('real', 1, readFileSync(new URL(nir, FILES)), manifest);
  const context = { deadlineMs: Infinity, signal: new AbortController().signal };
  const answersOf = async (engine: Engine): Promise<Inference[]> => {
    const answers: Inference[] = [];
    for (let steps = 1; steps <= rows.length / channels; steps += 1) {
      const data = new Uint8Array(rows.buffer, rows.byteOffset, 4 * steps * channels);
      answers.push(await engine.infer({ model: 'real', version: 1, shape: [steps, channels], data }, context));
    }
    return answers;
  };
  let answers: Inference[][] = [];
  try {
    await withEngines(folder.path, async (...engines: Engine[]) => {
      answers = await Promise.all(engines.map(answersOf));
    });
  } finally {
    folder.remove();
  }
  return answers;
}

function potential({ potentials }: Inference): number {
  return Buffer.from(potentials).readFloatLE(0);
}

describe('reading .npy', () => {
  it('follows the order that the header names', () => {
    const file = (order: string): Buffer => {
      const header = `{'descr': '|u1', 'fortran_order': ${order}, 'shape': (2, 3), }\n`;
      const length = Buffer.from([header.length, 0]);
      return Buffer.concat([
        Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
        length,
        Buffer.from(header),
        Buffer.from([1, 2, 3, 4, 5, 6]),
      ]);
    };
    expect([...readNpy(file('False'))]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...readNpy(file('True'))]).toEqual([1, 3, 5, 2, 4, 6]);
  });
});

if (existsSync(FILES)) {
  describe(`NIR files in ${fileURLToPath(FILES)}`, () => {
    it('Norse’s LIF fires at steps 460, 510, 710 and 760, and follows its trace', async () => {
      const lines = readFileSync(new URL('lif_norse.csv', FILES), 'utf8').trim().split('\n');
      const rows = lines.map((line) => line.split(',').map(Number));
      const input = Float32Array.from(rows, ([x]) => x!);
      const manifest = `${SERIES}readout: {from: last_potential}\n`;
      for (const answers of await askPrefixes(manifest, 'lif_norse.nir', 1, input)) {
        const counts = answers.map(({ spikeCounts }) => spikeCounts[0]!);
        const spikes = counts.flatMap((count, step) => (count > (counts[step - 1] ?? 0) ? [step] : []));
        expect(spikes).toEqual([460, 510, 710, 760]);
        const worst = Math.max(...answers.map((answer, step) => Math.abs(potential(answer) - rows[step]![1]!)));
        expect(worst).toBeLessThan(4e-9);
      }
    });

    it('the Braille network says letter 1, and its hidden layer equals snnTorch’s in every entry', async () => {
      const input = readNpy(readFileSync(new URL('braille_test0_input_256x12_u8.npy', FILES)));
      const activity = readNpy(readFileSync(new URL('snntorch_activity_noDelay_bias_zero.npy', FILES)));
      for (const answers of await askPrefixes(SERIES, 'braille_noDelay_bias_zero.nir', 12, input)) {
        expect(answers.at(-1)!.spikeCounts).toEqual([10, 160, 112, 113, 103, 68, 121]);
      }
      const hidden = `${SERIES}readout: {node: lif1.lif}\n`;
      for (const answers of await askPrefixes(hidden, 'braille_noDelay_bias_zero.nir', 12, input)) {
        const fired = answers.flatMap(({ spikeCounts }, step) => {
          return spikeCounts.map((count, neuron) => count - (answers[step - 1]?.spikeCounts[neuron] ?? 0));
        });
        expect(fired).toEqual([...activity]);
        expect(fired.reduce((sum, spike) => sum + spike)).toBe(119);
      }
    });

    it('the Braille sample in pieces on engines of both kinds ends in the bits of its whole run', async () => {
      const input = readNpy(readFileSync(new URL('braille_test0_input_256x12_u8.npy', FILES)));
      const nir = readFileSync(new URL('braille_noDelay_bias_zero.nir', FILES));
      const folder = new ModelFolder().add('real', 1, nir, SERIES);
      try {
        await withMovers(folder.path, ['scalar', BEST], async (engines) => {
          for (let seed = 1; seed <= 20; seed += 1) {
            const random = new Random(seed);
            const { whole, pieces } = cut(input, 12, seed === 1 ? EVERY_STEP : RANDOM_PIECES, random);
            const want = await outcomeOf(random.pick(engines), { ...whole, model: 'real' });
            const { outcome, before } = await runPieces(engines, random, 'real', pieces, emptySessionTally());
            expect(textOf(outcome, before)).toBe(textOf(want, 0));
          }
        });
      } finally {
        folder.remove();
      }
    });

    it('the Braille network’s raster, of one run, is snnTorch’s hidden layer, spike for spike', async () => {
      const input = readNpy(readFileSync(new URL('braille_test0_input_256x12_u8.npy', FILES)));
      const activity = readNpy(readFileSync(new URL('snntorch_activity_noDelay_bias_zero.npy', FILES)));
      const steps = input.length / 12;
      const neurons = activity.length / steps;
      const expected = [...activity].flatMap((spike, at) =>
        spike === 1 ? [[Math.floor(at / neurons), at % neurons]] : [],
      );
      const nir = readFileSync(new URL('braille_noDelay_bias_zero.nir', FILES));
      const folder = new ModelFolder().add('real', 1, nir, SERIES);
      const data = new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
      try {
        await withEngines(folder.path, async (...engines: Engine[]) => {
          const request = { model: 'real', version: 1, shape: [steps, 12], data, detail: 'RASTER' } as const;
          const context = { deadlineMs: Infinity, signal: new AbortController().signal };
          const answers = await Promise.all(engines.map((engine) => engine.infer(request, context)));
          const [hidden, output] = answers[0]!.layers!;
          expect([hidden!.node, hidden!.neurons, output!.node, output!.neurons]).toEqual([
            'lif1.lif',
            neurons,
            'lif2',
            7,
          ]);
          expect(hidden!.eventSteps.map((step, event) => [step, hidden!.eventNeurons[event]])).toEqual(expected);
          expect(answers[1]!.layers).toEqual(answers[0]!.layers);
        });
      } finally {
        folder.remove();
      }
    });
  });
}
