// Whether an input fits a model, before it takes a place in the queue. Reasons are those of engine.proto.
import type { ErrorKind } from '../../core/errors.ts';
import { RouterError } from '../../core/errors.ts';
import type { InferenceInput } from '../../core/inference.ts';
import { MAX_STEPS } from './limits.ts';

/** What a model takes. */
export interface InputSpec {
  readonly kind: 'constant' | 'series';
  readonly shape: readonly number[];
  readonly size: number;
  /** Steps of a constant input. */
  readonly steps: number;
}

/** Steps to run. Throws RouterError. That the numbers are finite is checked in the worker, which reads them anyway. */
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

function refusal(field: 'shape' | 'data', kind: ErrorKind, message: string): RouterError {
  return new RouterError(kind, message, { field, metadata: { field } });
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}
