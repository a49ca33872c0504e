// Finds the shape of an input from a file. Files of plain numbers do not say where a step ends; the model does.
import type { Model } from '../generated/tandem/v1/models.ts';
import type { CliInput } from './input.ts';

type Takes = Pick<Model, 'inputKind' | 'inputShape' | 'encoder'>;

const product = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);

/**
 * If the model takes a series and the numbers divide into whole steps, they are split. Otherwise the router reports the
 * error.
 */
export function fitted(input: CliInput, { inputKind, inputShape, encoder }: Takes): CliInput {
  const takesOneStep = inputKind !== 'series' || encoder === 'rate' || encoder === 'latency';
  const size = product(inputShape);
  const count = product(input.shape);
  if (takesOneStep) return count === size ? { ...input, shape: [size] } : input;
  const [steps = 0] = input.shape;
  if (input.shape.length > 1) return count === steps * size ? { ...input, shape: [steps, size] } : input;
  return count > 0 && count % size === 0 ? { ...input, shape: [count / size, size] } : input;
}
