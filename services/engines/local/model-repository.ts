// One model version: read, checked and compiled. Loads HDF5, so only the loader's thread imports it.
import { statSync } from 'node:fs';
import { readRegularFile } from '../../config/regular-file.ts';
import { compileNetwork } from './compile.ts';
import { MAX_FILE_BYTES } from './limits.ts';
import type { LoadedModel, LoadRequest } from './messages.ts';
import { ModelError } from './model-error.ts';
import { brokenModel } from './broken-model.ts';
import { doubtsOf } from './doubts.ts';
import { pinOf } from './pin.ts';

/** Reads and compiles one version. Whatever is wrong with it is in the answer. */
export function loadModel({ name, version, path, manifest, wantsNetwork }: LoadRequest): LoadedModel {
  try {
    const network = compileNetwork(readModelFile(path), manifest);
    const model = { ...pinOf({ name, version }, network), doubts: doubtsOf(network, manifest) };
    return { model, network: wantsNetwork ? network : undefined, isReaderBroken: false };
  } catch (error) {
    const isReaderBroken = error instanceof ModelError && error.isFatal;
    return { model: brokenModel({ name, version }, (error as Error).message), network: undefined, isReaderBroken };
  }
}

function readModelFile(path: string): Uint8Array {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw ModelError.file('there is no such file');
  if (!stats.isFile()) throw ModelError.file('is not a regular file');
  if (stats.size > MAX_FILE_BYTES) throw ModelError.file(`is larger than the limit of ${MAX_FILE_BYTES} bytes`);
  return readRegularFile(path, MAX_FILE_BYTES);
}
