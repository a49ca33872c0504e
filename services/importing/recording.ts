// A run of a network in its own framework: the file of `--check`.
import type { NumpyArray } from './npy.ts';
import { NumpyError, readNpz } from './npy.ts';

export interface Recording {
  readonly steps: number;
  /** All steps, concatenated. */
  readonly input: Float32Array;
  /** Outputs of nodes at every step, by name; `output` is the network's output. */
  readonly outputs: ReadonlyMap<string, Float64Array>;
}

const MAX_STEPS = 100_000;

/** `inputSize`: size of the network's Input. Axes of length 1, such as a batch of one, are ignored. */
export function readRecording(file: Uint8Array, inputSize: number): Recording {
  const arrays = readNpz(file);
  const input = arrays.get('input');
  if (input === undefined) throw new NumpyError(missing('input', 'what went into the network, [steps, ...]', arrays));
  const outputs = new Map([...arrays].filter(([name]) => name !== 'input').map(([name, { values }]) => [name, values]));
  if (outputs.size === 0) throw new NumpyError(missing('output', 'what the network put out, [steps, ...]', arrays));
  const steps = input.values.length / inputSize;
  if (!Number.isInteger(steps) || steps === 0 || steps > MAX_STEPS) {
    throw new NumpyError(
      `array "input" has ${input.values.length} elements; the network takes ${inputSize} a step, for 1 to ${MAX_STEPS} steps`,
    );
  }
  for (const [name, values] of outputs) {
    if (values.length % steps === 0 && values.length > 0) continue;
    throw new NumpyError(`array "${name}" has ${values.length} elements, which are not ${steps} equal steps`);
  }
  return { steps, input: Float32Array.from(input.values), outputs };
}

function missing(name: string, meaning: string, arrays: ReadonlyMap<string, NumpyArray>): string {
  const found = [...arrays.keys()].map((key) => `"${key}"`).join(', ');
  return `there is no array "${name}" (${meaning}), only ${found || 'none at all'}`;
}
