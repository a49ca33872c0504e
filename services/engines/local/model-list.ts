// The model repository as an engine sees it: <model>/model.yaml, <model>/<version>/model.nir.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineModel } from '../engine.ts';
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

export function brokenModel({ name, version }: ModelRef, error: string): EngineModel {
  return { name, version, modelId: 0n, inputSize: 0, outputSize: 0, nodes: 0, parameters: 0, error };
}
