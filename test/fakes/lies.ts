// False results of a programmable engine, as data: refusals, malformed answers, and well-formed answers that are wrong.
// Each can be used as `LyingEngine.tamper`.
import * as grpc from '@grpc/grpc-js';
import { ERROR_KINDS, type ErrorKind, isErrorKind } from '../../services/core/errors.ts';
import { readoutDigest } from '../../services/engines/readout-digest.ts';
import {
  type InferError,
  type InferItem,
  type InferResult,
  Inference,
  LayerActivity,
} from '../../services/generated/tandem/engine/v1/engine.ts';
import type { Tamper } from './lying-engine.ts';

export interface EngineLie {
  readonly name: string;
  readonly tamper: Tamper;
}

const MOST_UINT64 = 2n ** 64n - 1n;
const MOST_UINT32 = 2 ** 32 - 1;

function refusal(reason: string, over: Partial<InferError> = {}): Tamper {
  const code = isErrorKind(reason) ? grpc.status[ERROR_KINDS[reason].code] : grpc.status.INTERNAL;
  const value: InferError = { code, reason, message: 'on purpose', metadata: {}, recordingId: 0n, ...over };
  return ({ id }) => [{ id, outcome: { $case: 'error', value } }];
}

/** Changes correct inferences; a real refusal stays. `change` gets the full answer. */
function answer(change: (truth: Inference, item: InferItem) => Inference): Tamper {
  return (honest, item) => {
    if (honest.outcome?.$case !== 'inference') return [honest];
    return [{ id: honest.id, outcome: { $case: 'inference', value: change(honest.outcome.value, item) } }];
  };
}

/** Like `answer`, with the matching readout digest, so only the content is wrong. */
function signed(change: (truth: Inference) => Partial<Inference>): Tamper {
  return answer((truth) => sign({ ...truth, ...change(truth) }));
}

function unsigned(change: (truth: Inference) => Partial<Inference>): Tamper {
  return answer((truth) => ({ ...truth, ...change(truth) }));
}

function sign(said: Inference): Inference {
  return { ...said, readoutDigest: readoutDigest(said) };
}

function floats(count: number, value: number): Uint8Array {
  return new Uint8Array(new Float32Array(count).fill(value).buffer);
}

/** The last element of `list`, replaced. */
function lastAs(list: readonly number[], value: number): number[] {
  return [...list.slice(0, -1), value];
}

const layer = (over: Partial<LayerActivity>): LayerActivity =>
  LayerActivity.fromPartial({ node: 'hidden', neurons: 2, spikes: 1n, spikesPerStep: [1], ...over });

const kindsOf = (fromEngine: (typeof ERROR_KINDS)[ErrorKind]['fromEngine']): ErrorKind[] =>
  (Object.keys(ERROR_KINDS) as ErrorKind[]).filter((kind) => ERROR_KINDS[kind].fromEngine === fromEngine);

/** False refusals of a valid input or model, one of each kind that an engine may raise. */
export const REFUSALS: readonly EngineLie[] = kindsOf('claim').map((kind) => ({
  name: kind,
  tamper: refusal(kind, kind === 'NON_FINITE' ? { metadata: { step: '3', node: 'hidden' } } : {}),
}));

/** Refusals that no engine may raise, one of each kind. */
export const FORBIDDEN_KINDS: readonly EngineLie[] = kindsOf('never').map((kind) => ({
  name: kind,
  tamper: refusal(kind),
}));

/** Some of these, and invalid refusals. */
export const FORBIDDEN_REFUSALS: readonly EngineLie[] = [
  ...FORBIDDEN_KINDS.filter(({ name }) => ['CANCELLED', 'DEADLINE_EXCEEDED', 'ROUTER_FULL', 'INTERNAL'].includes(name)),
  { name: 'an unknown reason', tamper: refusal('ON_STRIKE') },
  { name: 'no reason', tamper: refusal('', { code: 0, message: '' }) },
  { name: 'a reason of 100 kB', tamper: refusal('A'.repeat(100_000)) },
  { name: 'a name of every object', tamper: refusal('constructor') },
];

/** Answers that no run of the model can have, and results without an answer. */
export const MALFORMED: readonly EngineLie[] = [
  { name: 'nothing at all', tamper: answer(() => Inference.create()) },
  { name: 'a result without an outcome', tamper: ({ id }) => [{ id, outcome: undefined }] },
  { name: 'true digests without an answer', tamper: unsigned(() => ({ spikeCounts: [], potentials: floats(0, 0) })) },
  { name: 'signed emptiness', tamper: signed(() => ({ spikeCounts: [], potentials: floats(0, 0) })) },
  { name: 'counts alone', tamper: signed(() => ({ potentials: floats(0, 0) })) },
  { name: 'potentials alone', tamper: signed(() => ({ spikeCounts: [] })) },
  { name: 'one count less', tamper: signed(({ spikeCounts }) => ({ spikeCounts: spikeCounts.slice(1) })) },
  { name: 'one count more', tamper: signed(({ spikeCounts }) => ({ spikeCounts: [...spikeCounts, 1] })) },
  { name: '1,000 counts', tamper: signed(() => ({ spikeCounts: Array.from({ length: 1_000 }, () => 1) })) },
  { name: 'one potential less', tamper: signed(({ potentials }) => ({ potentials: potentials.slice(4) })) },
  {
    name: 'one output more',
    tamper: signed(({ spikeCounts, potentials }) => ({
      spikeCounts: [...spikeCounts, 16],
      potentials: Buffer.concat([potentials, floats(1, 9)]),
    })),
  },
  {
    name: 'the answer of a model with two outputs',
    tamper: signed(() => ({ spikeCounts: [9, 1], potentials: floats(2, 0.5) })),
  },
  { name: 'potentials of 3 bytes', tamper: signed(() => ({ potentials: Uint8Array.of(1, 2, 3) })) },
  { name: 'NaN potentials', tamper: signed(({ potentials }) => ({ potentials: floats(potentials.length / 4, NaN) })) },
  {
    name: 'infinite potentials',
    tamper: signed(({ potentials }) => ({ potentials: floats(potentials.length / 4, -Infinity) })),
  },
  {
    name: 'a count above the steps',
    tamper: signed(({ steps, spikeCounts }) => ({ spikeCounts: lastAs(spikeCounts, steps + 1) })),
  },
  {
    name: 'a count of 2^32-1',
    tamper: signed(({ spikeCounts }) => ({ spikeCounts: lastAs(spikeCounts, MOST_UINT32) })),
  },
  { name: 'total_spikes 2^64-1', tamper: signed(() => ({ totalSpikes: MOST_UINT64 })) },
  { name: 'total_spikes 2^64-1, unsigned', tamper: unsigned(() => ({ totalSpikes: MOST_UINT64 })) },
  { name: 'synaptic_operations 2^64-1', tamper: signed(() => ({ synapticOperations: MOST_UINT64 })) },
  { name: 'steps 0', tamper: signed(({ spikeCounts }) => ({ steps: 0, spikeCounts: spikeCounts.map(() => 0) })) },
  { name: 'one step more', tamper: signed(({ steps }) => ({ steps: steps + 1 })) },
  { name: 'steps 2^32-1', tamper: signed(() => ({ steps: MOST_UINT32 })) },
  { name: 'another version', tamper: signed(({ modelVersion }) => ({ modelVersion: modelVersion + 1 })) },
  { name: 'version 0', tamper: signed(() => ({ modelVersion: 0 })) },
  { name: 'another readout digest', tamper: unsigned(({ readoutDigest: digest }) => ({ readoutDigest: digest ^ 1n })) },
  {
    name: 'another label under true digests',
    tamper: unsigned(({ steps, spikeCounts }) => ({ spikeCounts: otherLabel(spikeCounts, steps) })),
  },
  {
    name: 'layers with more spikes than neurons',
    tamper: unsigned(() => ({ layers: [layer({ spikesPerStep: [3] })] })),
  },
  { name: 'layers of 2^64-1 spikes', tamper: unsigned(() => ({ layers: [layer({ spikes: MOST_UINT64 })] })) },
];

/** Well-formed but wrong answers: they cannot be detected in one engine alone. A vote and an audit find them. */
export const WRONG_ANSWERS: readonly EngineLie[] = [
  {
    name: 'another label with matching digests',
    tamper: answer((truth) => {
      const spikeCounts = otherLabel(truth.spikeCounts, truth.steps);
      return sign({ ...truth, spikeCounts, stateDigest: truth.stateDigest ^ 1n });
    }),
  },
  { name: 'another state digest', tamper: unsigned(({ stateDigest }) => ({ stateDigest: stateDigest ^ 1n })) },
  {
    name: 'another state digest, recorded',
    tamper: unsigned(({ stateDigest }) => ({ stateDigest: stateDigest ^ 2n, recordingId: MOST_UINT64 })),
  },
];

/** Unusual answers that are accepted while they are rare, such as two answers to one item. */
export const HARMLESS: readonly EngineLie[] = [
  { name: 'an answer without a readout digest', tamper: unsigned(() => ({ readoutDigest: 0n })) },
  { name: 'an answer twice', tamper: (honest) => [honest, honest] },
  { name: 'an answer to an item that was never sent', tamper: (honest) => [strange(honest), honest] },
  { name: 'an answer to item 0', tamper: (honest) => [{ ...honest, id: 0n }, honest] },
  { name: 'a refusal after the answer', tamper: (honest, item) => [honest, ...refusal('NON_FINITE')(honest, item)] },
];

/** The item is never answered. */
export const SILENCE: EngineLie = { name: 'silence', tamper: () => [] };

const strange = (honest: InferResult): InferResult => ({ ...honest, id: MOST_UINT64 });

/** Makes another element the one with most spikes. */
function otherLabel(spikeCounts: readonly number[], steps: number): number[] {
  const top = spikeCounts.indexOf(Math.max(...spikeCounts));
  const next = (top + 1) % spikeCounts.length;
  return spikeCounts.map((count, at) => (at === next ? steps : at === top ? 0 : count));
}
