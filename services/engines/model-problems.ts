// Finds the model versions of the repository that an engine cannot serve, with the reason, by comparing its description
// with the router's own reading. Versions that the repository or the engine lacks are not problems.
import { hex64 } from '../core/hex.ts';
import { versionKey } from '../core/version-key.ts';
import type { EngineModel } from './engine.ts';
import type { ModelPins, PinnedModel } from './model-pins.ts';

export interface ModelProblem {
  /** "name/version". */
  readonly model: string;
  readonly why: string;
}

interface CheckedModels {
  /** The descriptions of the repository's versions, each once. */
  readonly known: readonly EngineModel[];
  /** Versions that the engine may serve. */
  readonly usable: readonly PinnedModel[];
  readonly problems: readonly ModelProblem[];
  /** Versions that the router itself cannot use, with the reason: a problem of the file, not of an engine. */
  readonly unreadable: readonly ModelProblem[];
}

export function checkModels(described: readonly EngineModel[], pins: ModelPins): CheckedModels {
  const known: EngineModel[] = [];
  const usable: PinnedModel[] = [];
  const problems: ModelProblem[] = [];
  const unreadable: ModelProblem[] = [];
  const seen = new Set<string>();
  for (const model of described) {
    const pin = pins.find(model.name, model.version);
    if (pin === undefined) continue;
    const key = versionKey(model.name, model.version);
    // Only the first description counts: with a second one, an engine would be listed twice and vote twice.
    if (seen.has(key)) continue;
    seen.add(key);
    known.push(model);
    const why = problemWith(model, pin);
    if (pin.error !== '') unreadable.push({ model: key, why: `the router cannot use it: ${pin.error}` });
    else if (why === '') usable.push(pin);
    else problems.push({ model: key, why });
  }
  return { known, usable, problems, unreadable };
}

/** Why an engine without a usable model can serve nothing. Empty: unknown. */
export function whyUnusable(described: readonly EngineModel[], { problems, unreadable }: CheckedModels): string {
  if (described.length === 0) return 'it holds no model; check its folder of models (--models)';
  return [...problems, ...unreadable].map(({ model, why }) => `${model}: ${why}`).join('; ');
}

/** Empty: no problem. */
function problemWith(model: EngineModel, pin: PinnedModel): string {
  if (model.error !== '') return `it cannot use it: ${model.error}`;
  if (model.modelId !== pin.modelId) {
    const ids = `model id ${hex64(model.modelId)}, the repository has ${hex64(pin.modelId)}`;
    return `it holds other weights or run settings: ${ids}`;
  }
  if (pin.inputKind === 'constant' && model.steps && model.steps !== pin.steps) {
    return `it runs ${model.steps} steps, the repository says ${pin.steps}; compare model.yaml of both`;
  }
  if (model.inputSize === pin.inputSize && model.outputSize === pin.outputSize) return '';
  const sizes = ({ inputSize, outputSize }: EngineModel): string => `${inputSize} inputs and ${outputSize} outputs`;
  return `it says that it has ${sizes(model)}; the repository has ${sizes(pin)}`;
}
