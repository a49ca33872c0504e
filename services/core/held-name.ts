// Names under which engines hold model versions. As a rule the model's own; a version that takes the place of another one
// with its number is held beside it under a name of its own, so that no input meets weights that it was not meant for.
import { hex64 } from './hex.ts';

const SUFFIX = /@[0-9a-f]{16}[.]\d+$/;

/** A name that no other content has under this model's name. */
export function replacementName(model: string, modelId: bigint, steps: number): string {
  return `${model}@${hex64(modelId)}.${steps}`;
}

export function isReplacementName(held: string): boolean {
  return SUFFIX.test(held);
}

/** The model's own name, as people know it. */
export function publicName(held: string): string {
  return held.includes('@') ? held.replace(SUFFIX, '') : held;
}
