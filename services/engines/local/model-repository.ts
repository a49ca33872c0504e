// The model repository as an engine sees it: <model>/model.yaml, <model>/<version>/model.nir.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseManifest } from '../../config/manifest.ts';
import type { EngineModel } from '../engine.ts';
import { compileNetwork } from './compile.ts';
import { MAX_FILE_BYTES } from './limits.ts';
import type { LoadedModel, LoadRequest } from './messages.ts';
import { ModelError } from './model-error.ts';
import { compareNames } from './nir-graph.ts';

export interface ModelRef {
  readonly name: string;
  readonly version: number;
}

/** Every version there is, by name, then version, usable or not. */
export function listModels(modelsDir: string): ModelRef[] {
  return readdirSync(modelsDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(modelsDir, entry.name, 'model.yaml')))
    .map((entry) => entry.name)
    .sort(compareNames)
    .flatMap((name) => versions(join(modelsDir, name)).map((version) => ({ name, version })));
}

function versions(folder: string): number[] {
  return readdirSync(folder)
    .filter((entry) => /^[1-9][0-9]{0,8}$/.test(entry))
    .map(Number)
    .sort((a, b) => a - b);
}

/** Reads and compiles one version. Whatever is wrong with it is in the answer. */
export function loadModel({ modelsDir, name, version }: LoadRequest): LoadedModel {
  try {
    const folder = join(modelsDir, name);
    const manifest = parseManifest(readFileSync(join(folder, 'model.yaml'), 'utf8'));
    const network = compileNetwork(readModelFile(join(folder, String(version), 'model.nir')), manifest);
    const { modelId, nodeCount: nodes, parameterCount: parameters } = network;
    const inputSize = network.nodes[network.input]!.outputSize;
    const outputSize = network.nodes[network.readout]!.outputSize;
    const model = { name, version, modelId, inputSize, outputSize, nodes, parameters, error: '' };
    return { model, network, isReaderBroken: false };
  } catch (error) {
    const isReaderBroken = error instanceof ModelError && error.isFatal;
    return { model: brokenModel({ name, version }, (error as Error).message), network: undefined, isReaderBroken };
  }
}

export function brokenModel({ name, version }: ModelRef, error: string): EngineModel {
  return { name, version, modelId: 0n, inputSize: 0, outputSize: 0, nodes: 0, parameters: 0, error };
}

function readModelFile(path: string): Uint8Array {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile()) throw ModelError.file('there is no such file');
  if (stats.size > MAX_FILE_BYTES) throw ModelError.file(`is larger than the limit of ${MAX_FILE_BYTES} bytes`);
  return readFileSync(path);
}
