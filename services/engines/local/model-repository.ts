// Reads, checks and compiles one model version. Loads HDF5, so only the loader's thread imports it.
import { statSync } from 'node:fs';
import { readRegularFile } from '../../config/regular-file.ts';
import { compileNetwork } from './compile.ts';
import { checkKnownRuns } from './known-runs.ts';
import { MAX_FILE_BYTES } from './limits.ts';
import type { LoadedModel, LoadRequest } from './messages.ts';
import { ModelError } from './model-error.ts';
import { brokenModel } from './broken-model.ts';
import { doubtsOf } from './doubts.ts';
import { pinOf } from './pin.ts';

/** Time budget for the golden vectors of one version. */
const KNOWN_RUNS_MS = 10_000;

/** Reads and compiles one version, and runs its golden vectors. Errors are in the result. */
export function loadModel({ name, version, path, manifest, wantsNetwork, known = [] }: LoadRequest): LoadedModel {
  try {
    const network = compileNetwork(readModelFile(path), manifest);
    const checked = checkKnownRuns(network, known, KNOWN_RUNS_MS);
    const doubts = [...doubtsOf(network, manifest), ...doubtsOfRuns(checked, known.length)];
    const model = { ...pinOf({ name, version }, network), doubts };
    return { model, network: wantsNetwork ? network : undefined, isReaderBroken: false };
  } catch (error) {
    const isReaderBroken = error instanceof ModelError && error.isFatal;
    return { model: brokenModel({ name, version }, (error as Error).message), network: undefined, isReaderBroken };
  }
}

function doubtsOfRuns(checked: number, all: number): string[] {
  if (checked === all) return [];
  return [`${checked} of ${all} golden vectors were checked in ${KNOWN_RUNS_MS} ms, and the others were not`];
}

function readModelFile(path: string): Uint8Array {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw ModelError.file('there is no such file');
  if (!stats.isFile()) throw ModelError.file('is not a regular file');
  if (stats.size > MAX_FILE_BYTES) throw ModelError.file(`is larger than the limit of ${MAX_FILE_BYTES} bytes`);
  return readRegularFile(path, MAX_FILE_BYTES);
}
