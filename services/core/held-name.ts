// Names under which engines hold model versions. Usually it is the model's name. A version that replaces another one
// with the same number is held beside it under a different name, so that an input never reaches the wrong weights.
import { hex64 } from './hex.ts';

const SUFFIX = /@[0-9a-f]{16}[.]\d+$/;

/** A name that is unique for this content of the model. */
export function replacementName(model: string, modelId: bigint, steps: number): string {
  return `${model}@${hex64(modelId)}.${steps}`;
}

export function isReplacementName(held: string): boolean {
  return SUFFIX.test(held);
}

/** The model's name for people. */
export function publicName(held: string): string {
  return held.includes('@') ? held.replace(SUFFIX, '') : held;
}
