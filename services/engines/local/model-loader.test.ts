import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ModelFolder } from '../../../test/support/model-folder.ts';
import { matrix, writeNir } from '../../../test/support/nir-writer.ts';
import { chain, node } from '../../../test/support/run-network.ts';
import { Random } from '../../../test/fuzz/random.ts';
import { parseManifest } from '../../config/manifest.ts';
import type { LoadRequest } from './messages.ts';
import { ModelLoader } from './model-loader.ts';

const RUN = 'dt: 1\nsteps: 1';
const linear = chain(2, 1, { n: node('Linear', { weight: matrix([1, 2]) }) });
const rows = Array.from({ length: 1_000 }, () => Array<number>(1_000).fill(1));
const folder = new ModelFolder();

const request = (name: string): LoadRequest => {
  const path = join(folder.path, name, '1/model.nir');
  return { name, version: 1, path, manifest: parseManifest(RUN), wantsNetwork: true };
};

afterAll(() => folder.remove());

describe('ModelLoader', () => {
  it('returns a description and a network', async () => {
    folder.add('good', 1, linear, RUN);
    const loader = new ModelLoader();
    const { model, network } = await loader.load(request('good'));
    await loader.close();
    expect(model).toMatchObject({
      name: 'good',
      version: 1,
      inputSize: 2,
      outputSize: 1,
      nodes: 3,
      parameters: 2,
      error: '',
    });
    expect([model.modelId, network?.modelId]).toEqual([expect.any(BigInt), model.modelId]);
  });

  it('stops reading a slow file and reads the next one', async () => {
    folder.add('large', 1, chain(1_000, 1_000, { n: node('Linear', { weight: matrix(...rows) }) }), RUN);
    const hasty = new ModelLoader();
    let slow = await hasty.load(request('large'), 1);
    // On a busy machine the file may be read before the timer runs.
    while (!slow.isLate) slow = await hasty.load(request('large'), 1);
    const next = await hasty.load(request('good'));
    await hasty.close();
    expect(next.model.error).toBe('');
    expect(slow.model).toMatchObject({ error: 'model.nir: reading it took longer than 1 ms', modelId: 0n });
  });

  it('continues after a damaged file crashed its reader', async () => {
    const whole = writeNir(linear);
    const random = new Random(7);
    const loader = new ModelLoader();
    const wrong: string[] = [];
    for (let n = 0; n < 250; n += 1) {
      const bytes = Uint8Array.from(whole);
      for (let flips = random.integer(1, 6); flips > 0; flips -= 1) {
        bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
      }
      folder.add('damaged', 1, bytes, RUN);
      const { model, network } = await loader.load(request('damaged'), 1_000);
      if ((model.error === '') !== (network !== undefined)) wrong.push(model.error);
    }
    folder.add('good', 1, linear, RUN);
    const { model } = await loader.load(request('good'));
    await loader.close();
    expect([wrong, model.error]).toEqual([[], '']);
  }, 60_000);
});
