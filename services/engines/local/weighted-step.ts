// The step of a Linear or Affine node: proto/NUMERICS.md, "A step".
import type { Arena } from './arena.ts';
import { arenaBytes } from './arena.ts';
import { panelsOf } from './column-kernels.ts';
import * as kernels from './kernels.ts';
import type { NetworkNode } from './network.ts';
import { unpackWeights } from './packed-weights.ts';
import type { Step, StepSource } from './step.ts';

/** Weights added between two checks of the interrupt. */
const PIECE_OF_COLUMNS = 1 << 20;

/** Arena memory of `weightedStep`. */
export function weightedArenaBytes(inputSize: number, outputSize: number): number {
  return arenaBytes(outputSize) * (inputSize + 1) + 2 * arenaBytes(inputSize);
}

export function weightedStep(node: NetworkNode, y: Float32Array, inputs: readonly StepSource[], arena: Arena): Step {
  const { inputSize, outputSize } = node;
  const { spikes: addSpikes, weighted, dense } = arena.columns;
  const weights = layOutWeights(node, arena);
  const bias = arena.floats(outputSize);
  if (node.constants.bias !== undefined) bias.set(node.constants.bias);
  const mayBeDense = bias.every((value) => !Object.is(value, -0));
  const at = arena.ints(inputSize);
  const values = arena.floats(inputSize);
  const length = arenaBytes(outputSize);
  const piece = Math.max(4, Math.floor(PIECE_OF_COLUMNS / outputSize));
  return (x, interrupt, report) => {
    const spikes = inputs.length === 1 && inputs[0]!.hasUnitSpikes ? inputs[0]!.spikes : undefined;
    // A node in a loop may be its own source, and then needs a copy of the values.
    const isDense = mayBeDense && spikes === undefined && x !== y && kernels.isMostlyActive(x);
    const count = isDense ? x.length : (spikes?.count ?? kernels.gather(x, at, values));
    const list = (isDense ? x : (spikes?.at ?? at)).byteOffset;
    let start = bias.byteOffset;
    let isFinite: number;
    let from = 0;
    do {
      const to = Math.min(count, from + piece);
      const [begin, end] = [list + 4 * from, list + 4 * to];
      if (isDense) isFinite = dense(y.byteOffset, start, weights, inputSize, length, begin, end, from);
      // A spike's value is 1, and a weight times 1 is the weight.
      else if (spikes !== undefined) isFinite = addSpikes(y.byteOffset, start, weights, inputSize, length, begin, end);
      else {
        const first = values.byteOffset + 4 * from;
        isFinite = weighted(y.byteOffset, start, weights, inputSize, length, begin, end, first);
      }
      interrupt.spend((to - from) * outputSize);
      start = y.byteOffset;
      from = to;
    } while (from < count);
    report.synapticOperations = (isDense ? kernels.countActive(x) : count) * outputSize;
    // A sum that is not finite stays so.
    report.finite = isFinite !== 0;
  };
}

/** Copies the weights panel by panel, and returns their address; vectors beyond the last output are padded with zeros. */
function layOutWeights({ constants, inputSize, outputSize }: NetworkNode, arena: Arena): number {
  const bytes = arenaBytes(outputSize);
  const weights = arena.floats((bytes / 4) * inputSize);
  for (const { first, stride } of panelsOf(bytes)) {
    const [from, width] = [first / 4, stride / 4];
    const to = Math.min(outputSize, from + width);
    for (let source = 0; source < inputSize; source += 1) {
      const column = source * outputSize;
      unpackWeights(constants.weight!, column + from, column + to, weights, from * inputSize + source * width);
    }
  }
  return weights.byteOffset;
}
