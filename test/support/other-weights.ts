// A copy of a NIR file with one changed weight.
import * as h5wasm from 'h5wasm';

const module = await h5wasm.ready;
const PATH = '/other-weights.nir';

/** `weight` is the path of a dataset [out][in]: its first element x becomes 1 - x. */
export function withOtherWeight(nir: Uint8Array, weight: string): Uint8Array {
  module.FS.writeFile(PATH, nir);
  const file = new h5wasm.File(PATH, 'a');
  const dataset = file.get(weight) as h5wasm.Dataset;
  const first: Parameters<h5wasm.Dataset['slice']>[0] = [
    [0, 1],
    [0, 1],
  ];
  const [value] = dataset.slice(first) as Float32Array;
  dataset.write_slice(first, Float32Array.of(1 - value!));
  file.close();
  const bytes = module.FS.readFile(PATH);
  module.FS.unlink(PATH);
  return bytes;
}
