// A refusal: an engine says that the input or the model is at fault. It is a claim, like an answer, and counts like
// one.
import { ERROR_KINDS, type RouterError } from './errors.ts';

export function isRefusal({ kind }: RouterError): boolean {
  return ERROR_KINDS[kind].fromEngine === 'claim';
}

/** Two refusals agree if their keys are equal: reason, step and node. Example: "NON_FINITE, step 3, node lif1". */
export function refusalKey({ kind, metadata }: RouterError): string {
  const { step, node } = metadata;
  const where = `${step === undefined ? '' : `, step ${step}`}${node === undefined ? '' : `, node ${node}`}`;
  return `${kind}${where}`;
}

/** The formal error in an engine's answer, as one of a few fixed texts; undefined: none. */
export function malformedReason({ kind, metadata }: RouterError): string | undefined {
  return kind === 'ENGINE_FAULT' ? metadata['malformed'] : undefined;
}
