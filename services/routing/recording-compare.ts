// Two recordings of one run, compared (proto/NUMERICS.md, "Recording"). Pure. A recording comes from an engine that may
// lie: it is checked before it is read, and a claimed size is used only after it matches the received bytes.
import type { RecordedNode, Recording, TracePlace } from '../engines/engine.ts';
import { haveSameNodes, howItWentOn } from './replay-compare.ts';

export interface SpikeLocation extends TracePlace {
  readonly neuron: number;
  /** Whether the neuron spiked in the recording; in the reference it did the opposite. */
  readonly spiked: boolean;
}

/** One run ended early, and the other one did not, or with a different reason. */
export interface EndDifference {
  /** The first step that is missing in one recording. */
  readonly step: number;
  /** What each run did at that step. Examples: "went on", "ended with NON_FINITE". */
  readonly did: string;
  readonly referenceDid: string;
}

/** All undefined: nothing recorded differs. */
export interface Comparison {
  /** First step, and first node in order of evaluation, whose state differs. */
  readonly state: TracePlace | undefined;
  /** First step, node and neuron whose spike differs. */
  readonly spike: SpikeLocation | undefined;
  readonly end: EndDifference | undefined;
  /** First step and node whose state or spikes differ. */
  readonly first: TracePlace | undefined;
}

/** Facts about a run that do not come from its engine; undefined: unknown. */
export interface RunFacts {
  readonly steps: number | undefined;
  /** Evaluated nodes of the model. */
  readonly nodes: number | undefined;
  /** Elements of the readout node. */
  readonly readout: number | undefined;
}

/** The form of error kinds. */
const REASON = /^[A-Z][A-Z0-9_]{0,63}$/;

/** Why a recording cannot belong to that run; empty: it can. */
export function recordingProblem({ steps, nodes, ended }: Recording, run: RunFacts): string {
  if (ended !== '' && !REASON.test(ended)) return 'its reason for an early end is not one';
  if (nodes.length === 0) return 'it holds no node';
  if (run.nodes !== undefined && nodes.length > run.nodes) {
    return `it holds ${nodes.length} nodes, and the model has ${run.nodes}`;
  }
  if (run.steps !== undefined && (ended === '' ? steps !== run.steps : steps >= run.steps)) {
    return `it holds ${steps} steps${ended === '' ? '' : ` and ended with ${ended}`}, and the run has ${run.steps}`;
  }
  for (const [index, node] of nodes.entries()) {
    const problem = nodeProblem(node, steps);
    if (problem !== '') return `its node ${index + 1} ${problem}`;
  }
  if (run.readout !== undefined && !nodes.some(({ elements }) => elements === run.readout)) {
    return `no node has the ${run.readout} elements of the readout`;
  }
  return '';
}

function nodeProblem({ elements, spikes, stateChecksums }: RecordedNode, steps: number): string {
  if (elements < 1) return 'has no elements';
  if (stateChecksums.length !== steps) return `has ${stateChecksums.length} state checksums for ${steps} steps`;
  if (spikes.length === 0) return '';
  const rowBytes = bytesPerStep(elements);
  if (spikes.length !== steps * rowBytes) {
    return `has ${spikes.length} bytes of spikes; ${steps} steps of ${elements} elements take ${steps * rowBytes}`;
  }
  const used = elements % 8;
  if (used === 0) return '';
  for (let last = rowBytes - 1; last < spikes.length; last += rowBytes) {
    if (spikes[last]! >> used !== 0) return 'has spikes of elements that it does not have';
  }
  return '';
}

/** Why two valid recordings cannot be compared; empty: they can. */
export function mismatch(recording: Recording, reference: Recording): string {
  const namesOf = ({ nodes }: Recording): string[] => nodes.map(({ node }) => node);
  if (!haveSameNodes(namesOf(recording), namesOf(reference))) return 'it holds other nodes, or in another order';
  for (const [index, { elements, spikes }] of recording.nodes.entries()) {
    const other = reference.nodes[index]!;
    if (elements !== other.elements) return `its node ${index + 1} has ${elements} elements, not ${other.elements}`;
    const hasRun = recording.steps > 0 && reference.steps > 0;
    if (hasRun && (spikes.length === 0) !== (other.spikes.length === 0)) {
      return `its node ${index + 1} ${spikes.length === 0 ? 'does not spike, and has to' : 'spikes, and cannot'}`;
    }
  }
  const areWhole = recording.ended === '' && reference.ended === '';
  return areWhole && recording.steps !== reference.steps
    ? `it holds ${recording.steps} steps, not ${reference.steps}`
    : '';
}

/** For recordings without a problem and without a mismatch. */
export function compareRecordings(recording: Recording, reference: Recording): Comparison {
  const steps = Math.min(recording.steps, reference.steps);
  const state = firstState(recording, reference, steps);
  const spike = firstSpike(recording, reference, steps);
  const isSame = recording.steps === reference.steps && recording.ended === reference.ended;
  const did = (run: Recording): string => howItWentOn(run.steps > steps, run.ended);
  const end = isSame ? undefined : { step: steps, did: did(recording), referenceDid: did(reference) };
  return { state, spike, end, first: earlier(state, spike, reference.nodes) };
}

function firstState(recording: Recording, reference: Recording, steps: number): TracePlace | undefined {
  let first: TracePlace | undefined;
  for (const [index, { node, stateChecksums }] of recording.nodes.entries()) {
    const step = firstUnequal(stateChecksums, reference.nodes[index]!.stateChecksums, first?.step ?? steps);
    if (step !== undefined) first = { step, node };
  }
  return first;
}

function firstSpike(recording: Recording, reference: Recording, steps: number): SpikeLocation | undefined {
  let first: SpikeLocation | undefined;
  for (const [index, { node, elements, spikes: mine }] of recording.nodes.entries()) {
    const theirs = reference.nodes[index]!.spikes;
    const bytes = bytesPerStep(elements);
    const at = firstUnequal(mine, theirs, Math.min((first?.step ?? steps) * bytes, mine.length, theirs.length));
    if (at === undefined) continue;
    const changed = mine[at]! ^ theirs[at]!;
    const bit = 31 - Math.clz32(changed & -changed);
    const neuron = 8 * (at % bytes) + bit;
    first = { step: Math.floor(at / bytes), node, neuron, spiked: ((mine[at]! >> bit) & 1) === 1 };
  }
  return first;
}

/** Index of the first of `length` elements that differ. A plain loop: an engine may send millions of elements. */
function firstUnequal(a: Uint8Array | Uint32Array, b: Uint8Array | Uint32Array, length: number): number | undefined {
  for (let index = 0; index < length; index += 1) if (a[index] !== b[index]) return index;
  return undefined;
}

function earlier(
  state: TracePlace | undefined,
  spike: TracePlace | undefined,
  nodes: readonly RecordedNode[],
): TracePlace | undefined {
  const rank = (location: TracePlace): number =>
    location.step * nodes.length + nodes.findIndex(({ node }) => node === location.node);
  if (state === undefined || spike === undefined) return placeOf(state ?? spike);
  return placeOf(rank(spike) < rank(state) ? spike : state);
}

function placeOf(location: TracePlace | undefined): TracePlace | undefined {
  return location && { step: location.step, node: location.node };
}

/** Bytes that hold the spikes of all elements of a node at one step. */
export function bytesPerStep(elements: number): number {
  return Math.ceil(elements / 8);
}
