// Checks that an input fits a model before it is queued. The reasons are those of engine.proto.
import type { ErrorKind } from '../../core/errors.ts';
import { RouterError } from '../../core/errors.ts';
import type { Detail, InferenceInput } from '../../core/inference.ts';
import { MAX_STATE_BYTES, MAX_TRACE_DIGESTS } from '../engine.ts';
import type { TracePlace } from '../engine.ts';
import { checkDetailSize } from '../detail-size.ts';
import { MAX_STEPS } from './limits.ts';
import { isFinite32 } from './kernels.ts';
import type { Failure } from './messages.ts';
import type { Network } from './network.ts';
import { firesSpikes } from './node-types.ts';
import { stateLayout } from './state-layout.ts';

const MAX_SHOWN_BYTES = 200;

/** The input that a model takes. */
export interface InputSpec {
  readonly kind: 'constant' | 'series';
  readonly shape: readonly number[];
  readonly size: number;
  /** Steps of a constant input. */
  readonly steps: number;
}

/**
 * Returns the steps to run. Throws RouterError. The worker checks that the numbers are finite, since it reads them
 * anyway.
 */
export function checkInput({ shape, data }: InferenceInput, spec: InputSpec): number {
  const isStep = (dims: readonly number[]): boolean => same(dims, spec.shape) || same(dims, [spec.size]);
  const isConstant = isStep(shape);
  const isSeries = shape.length > 1 && isStep(shape.slice(1));
  if (spec.kind === 'constant' ? !isConstant : !isSeries) {
    const wanted = spec.kind === 'constant' ? `[${spec.shape.join(', ')}]` : `[steps, ${spec.shape.join(', ')}]`;
    const kind = isConstant || isSeries ? 'INPUT_KIND' : 'INPUT_LENGTH';
    throw refusal('shape', kind, `this model takes shape ${wanted}, got [${shape.slice(0, 8).join(', ')}]`);
  }
  const rows = spec.kind === 'constant' ? 1 : shape[0]!;
  if (!(rows >= 1 && rows <= MAX_STEPS))
    throw refusal('shape', 'INPUT_STEPS', `must be 1 to ${MAX_STEPS} steps, got ${rows}`);
  const bytes = 4 * rows * spec.size;
  if (data.length !== bytes)
    throw refusal('data', 'INPUT_LENGTH', `shape needs ${bytes} bytes of data, got ${data.length}`);
  return spec.kind === 'constant' ? spec.steps : rows;
}

/** Throws RouterError if the trace would be too large. */
export function checkDetail({ nodes, readout }: Network, steps: number, detail: Detail): void {
  const layers = nodes.filter(({ type }) => firesSpikes(type)).length;
  checkDetailSize(detail, steps, { layers, outputs: nodes[readout]!.outputSize });
}

/** Throws RouterError if the model's state would be too long to send. */
export function checkStateSize(model: string, network: Network): void {
  const { bytes } = stateLayout(network);
  if (bytes <= MAX_STATE_BYTES) return;
  const message = `a state of model "${model}" has ${bytes} bytes, above the limit of ${MAX_STATE_BYTES}; send the whole series at once`;
  throw new RouterError('STATE_TOO_LARGE', message, { field: 'return_state', metadata: { field: 'return_state' } });
}

/** Throws RouterError, with the same text as sidecars, if there is no such place or the trace would be too large. */
export function checkTrace(model: string, { nodes }: Network, steps: number, place: TracePlace | undefined): void {
  if (place === undefined) {
    const digests = steps * nodes.length;
    if (digests <= MAX_TRACE_DIGESTS) return;
    const message = `the trace would have ${digests} digests, above the limit of ${MAX_TRACE_DIGESTS}; send fewer steps, or request one place at a time`;
    const metadata = { digests: String(digests), max_digests: String(MAX_TRACE_DIGESTS) };
    throw new RouterError('TRACE_TOO_LARGE', message, { metadata });
  }
  if (!(place.step >= 0 && place.step < steps)) {
    const message = `there is no step ${place.step}; the run has ${steps}, of which the first is 0`;
    throw new RouterError('TRACE_STEP', message, { metadata: { steps: String(steps) } });
  }
  if (nodes.some(({ name }) => name === place.node)) return;
  const node = printable(place.node);
  const message = `no evaluated node of model "${model}" is named "${node}"; a trace without a place lists them`;
  throw new RouterError('TRACE_NODE', message, { metadata: { node } });
}

/** Why this input cannot be run; undefined: it can. Called in the simulation thread. */
export function refuseNotFinite(input: Float32Array): Failure | undefined {
  if (isFinite32(input)) return undefined; // much faster than a call for each element
  const index = input.findIndex((value) => !Number.isFinite(value));
  const message = `element ${index} is ${input[index]}; send finite numbers only`;
  return { kind: 'INPUT_NOT_FINITE', message, metadata: { field: 'data', index: String(index) } };
}

/**
 * Prepares a text for an error: control characters become '?', and it is cut, as in sidecars (sidecar-cpp/base/text.h).
 */
function printable(text: string): string {
  let shown = '';
  let bytes = 0;
  for (const character of text) {
    if (bytes >= MAX_SHOWN_BYTES) return `${shown}...`;
    shown += character < ' ' || character === '\x7f' ? '?' : character;
    bytes += Buffer.byteLength(character);
  }
  return shown;
}

function refusal(field: 'shape' | 'data', kind: ErrorKind, message: string): RouterError {
  return new RouterError(kind, message, { field, metadata: { field } });
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}
