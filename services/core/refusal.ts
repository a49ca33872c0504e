// A refusal: an engine says that the input or the model is at fault. It is a claim, as an answer is, and counts like one.
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

/** What is wrong with the form of an engine's answer, in a few fixed words; undefined: nothing. */
export function malformedReason({ kind, metadata }: RouterError): string | undefined {
  return kind === 'ENGINE_FAULT' ? metadata['malformed'] : undefined;
}
