// Words the difference of two recordings as a sentence. Example: `engine-2 differed from engine-1 first at step 3 in
// node "lif1" (potentials); first different spike: step 5, node "lif1", neuron 17, where only engine-2 spiked`.
import type { TracePlace } from '../engines/engine.ts';
import type { Comparison, EndDifference, SpikeLocation } from './recording-compare.ts';

export interface Compared {
  readonly engine: string;
  readonly reference: string;
  /** Whether the reference is known to be correct. If not, the sentence blames neither. */
  readonly isCertain: boolean;
}

const MAX_NAME = 64;
const MAX_REASON = 200;

/** The sentence if no comparison was possible. `why` may come from an engine. */
export function describeUnknown(engine: string, why: string): string {
  return `where ${engine} differed is not known: ${printable(why.slice(0, MAX_REASON))}`;
}

export function describeComparison(comparison: Comparison, compared: Compared): string {
  const { engine, reference, isCertain } = compared;
  const { first, spike, state, end } = comparison;
  const ending = end && describeEnd(end, compared);
  if (first === undefined) {
    if (ending !== undefined) return `${engine} and ${reference} did the same until ${ending}`;
    return isCertain
      ? `nothing that ${engine} recorded differs from ${reference}: what it computed is right; what it returned was not`
      : `nothing that ${engine} and ${reference} recorded differs: they computed the same and returned something else`;
  }
  const who = isCertain ? `${engine} differed from ${reference}` : `${engine} and ${reference} differed`;
  return [
    `${who} first at ${describeLocation(first, ' in')} (${quantities(first, state, spike)})`,
    spike === undefined
      ? 'only potentials differed, no spike did'
      : `first different spike: ${describeLocation(spike, ',')}, neuron ${spike.neuron}, where only ${spike.spiked ? engine : reference} spiked`,
    ...(ending === undefined ? [] : [`at ${ending}`]),
  ].join('; ');
}

function describeEnd({ step, did, referenceDid }: EndDifference, { engine, reference }: Compared): string {
  return `step ${step}, where ${engine} ${did} and ${reference} ${referenceDid}`;
}

function quantities(first: TracePlace, state: TracePlace | undefined, spike: SpikeLocation | undefined): string {
  const isAtFirst = (location: TracePlace | undefined): boolean =>
    location?.step === first.step && location.node === first.node;
  return [...(isAtFirst(state) ? ['potentials'] : []), ...(isAtFirst(spike) ? ['spikes'] : [])].join(' and ');
}

function describeLocation({ step, node }: TracePlace, before: string): string {
  return `step ${step}${before} node ${quoted(node)}`;
}

function quoted(name: string): string {
  return `"${printable(name.slice(0, MAX_NAME))}"`;
}

/** The text comes from a model file or an engine: it must not move the cursor of a terminal. */
function printable(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}
