// The shape of an input from a file: files of plain numbers do not say where a step ends, but the model does.
import type { Model } from '../generated/tandem/v1/models.ts';
import type { CliInput } from './input.ts';

type Takes = Pick<Model, 'inputKind' | 'inputShape' | 'encoder'>;

const product = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);

/** Where the model takes a series, numbers are cut into its steps, if they are whole ones. Else the router says what is wrong. */
export function fitted(input: CliInput, { inputKind, inputShape, encoder }: Takes): CliInput {
  const takesOneStep = inputKind !== 'series' || encoder === 'rate' || encoder === 'latency';
  const size = product(inputShape);
  const count = product(input.shape);
  if (takesOneStep) return count === size ? { ...input, shape: [size] } : input;
  const [steps = 0] = input.shape;
  if (input.shape.length > 1) return count === steps * size ? { ...input, shape: [steps, size] } : input;
  return count > 0 && count % size === 0 ? { ...input, shape: [count / size, size] } : input;
}
