// Checks the caller's input against the model. An invalid input is an error that names the field; nothing is guessed.
import { RouterError } from '../core/errors.ts';
import type { Detail } from '../core/inference.ts';
import { dtypeOf } from '../inputs/dtype.ts';
import type { PackedEvents } from '../inputs/events.ts';
import { checkDetailSize } from '../engines/detail-size.ts';
import type { PinnedModel } from '../engines/model-pins.ts';

/** Numbers, as the caller sent them. */
export interface TensorInput {
  /** Which field of the request it came in, for error messages. */
  readonly field: 'encoding' | 'tensor';
  readonly shape: readonly number[];
  /** Empty means FP32. */
  readonly dtype: string;
  readonly data: Uint8Array;
}

interface EventsInput {
  readonly field: 'events';
  readonly events: PackedEvents;
}

export type RawInput = TensorInput | EventsInput;

export interface InputSpec {
  readonly kind: 'constant' | 'series';
  /** Shape of one step. */
  readonly shape: readonly number[];
  /** Elements of one step. */
  readonly size: number;
}

/** The caller's input does not fit the model. No engine, cache or session got it. */
export class InputRefused extends RouterError {}

/** As in proto/NUMERICS.md, "Limits". */
const MAX_STEPS = 100_000;

/** Throws RouterError; returns the numbers as binary32. */
export function validateInput(input: TensorInput, spec: InputSpec): Uint8Array {
  const dataField = input.field === 'encoding' ? 'encoding' : 'tensor.data';
  const shapeField = input.field === 'encoding' ? 'encoding' : 'tensor.shape';
  const dtype = dtypeOf(input.dtype);
  if (input.data.length === 0) {
    throw new InputRefused('INPUT_MISSING', `the input is empty; ${expected(spec)}`, { field: dataField });
  }
  checkShape(input, spec, shapeField);
  let elements = 1;
  for (const dimension of input.shape) elements *= dimension;
  const bytes = elements * dtype.bytes;
  if (input.data.length !== bytes) {
    const message = `shape [${input.shape.join(', ')}] needs ${bytes} bytes of ${dtype.name}, got ${input.data.length}`;
    throw new InputRefused('INPUT_LENGTH', message, { field: dataField });
  }
  const floats = dtype.toFloats(input.data);
  const index = firstNotFinite(floats);
  if (index >= 0) {
    throw new InputRefused('INPUT_NOT_FINITE', `element ${index} is not finite; send finite numbers only`, {
      field: `${dataField}[${index}]`,
      metadata: { index: String(index) },
    });
  }
  return floats;
}

/** Throws DETAIL_TOO_LARGE if the layers of the run, or its readout per step, would exceed the limit of an answer. */
export function checkDetail(
  { detail = 'SUMMARY', shape }: { readonly detail?: Detail; readonly shape: readonly number[] },
  model: Pick<PinnedModel, 'inputKind' | 'steps' | 'layers' | 'outputSize'>,
): void {
  const { inputKind, steps, layers, outputSize } = model;
  checkDetailSize(detail, inputKind === 'series' ? shape[0]! : steps, {
    layers: layers.length,
    outputs: outputSize,
  });
}

function checkShape({ shape }: TensorInput, spec: InputSpec, field: string): void {
  const isAccepted = spec.kind === 'constant' ? isStep(shape, 0, spec) : isSeries(shape, spec);
  if (isAccepted) {
    const steps = spec.kind === 'series' ? (shape[0] ?? 0) : 1;
    if (steps >= 1 && steps <= MAX_STEPS) return;
    throw new InputRefused('INPUT_STEPS', `a series has 1 to ${MAX_STEPS} steps, got ${steps}`, { field });
  }
  if (isStep(shape, 0, spec) || isSeries(shape, spec)) {
    const got = spec.kind === 'series' ? 'a constant input' : 'a time series';
    throw new InputRefused('INPUT_KIND', `this model does not take ${got}; ${expected(spec)}`, { field });
  }
  const got = shape.length === 1 ? `${shape[0]} numbers` : `shape [${shape.slice(0, 8).join(', ')}]`;
  throw new InputRefused('INPUT_LENGTH', `got ${got}; ${expected(spec)}`, { field });
}

/** Whether the dimensions from `from` on are the shape of one step, or its number of elements. */
function isStep(shape: readonly number[], from: number, spec: InputSpec): boolean {
  const { length } = shape;
  if (length - from === 1 && shape[from] === spec.size) return true;
  if (length - from !== spec.shape.length) return false;
  for (let axis = from; axis < length; axis += 1) if (shape[axis] !== spec.shape[axis - from]) return false;
  return true;
}

function isSeries(shape: readonly number[], spec: InputSpec): boolean {
  return shape.length > 1 && isStep(shape, 1, spec);
}

function expected(spec: InputSpec): string {
  const shape = spec.shape.join(', ');
  if (spec.kind === 'series') return `send a tensor of shape [steps, ${shape}]`;
  return spec.shape.length === 1
    ? `send ${shape} numbers`
    : `send a tensor of shape [${shape}], or ${spec.size} numbers`;
}

// The bytes may be unaligned; checking an aligned copy takes half the time.
const floats = new Float32Array(4_096);
const scratch = new Uint8Array(floats.buffer);
const words = new Int32Array(floats.buffer);

function carryOf(word: number): number {
  return ((word & 0x7fff_ffff) + 0x0080_0000) | 0;
}

/** Index of the first NaN or infinity in little-endian binary32 values, or -1. */
export function firstNotFinite(bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length; at += scratch.length) {
    const part = bytes.length <= scratch.length ? bytes : bytes.subarray(at, at + scratch.length);
    scratch.set(part);
    const count = part.length >> 2;
    // An exponent of all ones carries into the sign. On integers, two at a time: in two thirds of the time of floats.
    let carry = 0;
    let k = 0;
    for (; k + 1 < count; k += 2) carry |= carryOf(words[k]!) | carryOf(words[k + 1]!);
    if (k < count) carry |= carryOf(words[k]!);
    if (carry < 0) return at / 4 + floats.findIndex((value) => !Number.isFinite(value));
  }
  return -1;
}
