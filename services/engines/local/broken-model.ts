import type { EngineModel } from '../engine.ts';

/** How a model that cannot be used is described. */
export function brokenModel({ name, version }: { name: string; version: number }, error: string): EngineModel {
  return { name, version, modelId: 0n, inputSize: 0, outputSize: 0, nodes: 0, parameters: 0, error };
}
