// Linear and Affine nodes against plain loops, bit for bit.
import { describe, expect, it } from '@jest/globals';
import { MeteredInterrupt } from '../../../test/fakes/metered-interrupt.ts';
import { Random } from '../../../test/fuzz/random.ts';
import { Arena, arenaBytes } from './arena.ts';
import type { NetworkNode } from './network.ts';
import type { Evaluation, StepSource } from './step.ts';
import { weightedArenaBytes, weightedStep } from './weighted-step.ts';

const { fround } = Math;
const NO_SPIKES: StepSource = { spikes: undefined, hasUnitSpikes: false };
/** Weights between two looks at the interrupt, at most. */
const PIECE = 1 << 20;

const random = new Random(1);
const numbers = (length: number) => Float32Array.from({ length }, () => random.between(-1, 1));

function nodeOf(inputSize: number, outputSize: number, bias?: Float32Array): NetworkNode {
  const weight = numbers(inputSize * outputSize);
  return {
    ...{ name: 'n', type: 'Affine', inputSize, outputSize, sources: [0], delayed: [false], rule: undefined },
    ...{ constant: false, feedsBack: false, window: undefined, delays: undefined },
    constants: bias === undefined ? { weight } : { weight, bias },
  };
}

function byTheBook({ constants, inputSize, outputSize }: NetworkNode, x: Float32Array): Float32Array {
  const weight = constants.weight as Float32Array;
  const y = constants.bias?.slice() ?? new Float32Array(outputSize);
  for (let j = 0; j < inputSize; j += 1) {
    if (x[j] === 0) continue;
    for (let o = 0; o < outputSize; o += 1) y[o] = fround(y[o]! + fround(weight[j * outputSize + o]! * x[j]!));
  }
  return y;
}

/** `x` lies in the arena, like the output of any node. */
function make(node: NetworkNode, sources: readonly StepSource[] = [NO_SPIKES]) {
  const bytes = arenaBytes(node.inputSize) + arenaBytes(node.outputSize);
  const arena = new Arena(weightedArenaBytes(node.inputSize, node.outputSize) + bytes + arenaBytes(node.inputSize));
  const [x, y, list] = [arena.floats(node.inputSize), arena.floats(node.outputSize), arena.ints(node.inputSize)];
  const withList = sources.map((source) => {
    return { ...source, spikes: source.spikes && { at: list, count: source.spikes.count } };
  });
  for (const { spikes } of sources) if (spikes !== undefined) list.set(spikes.at);
  const step = weightedStep(node, y, withList, arena);
  const run = (of: Float32Array = x) => {
    const interrupt = new MeteredInterrupt();
    const report: Evaluation = { finite: true, spikes: 0, synapticOperations: 0 };
    step(of, interrupt, report);
    return { operations: report.synapticOperations, finite: report.finite, spent: interrupt.spent };
  };
  return { x, y, run };
}

function spikesOf(x: Float32Array, hasUnitSpikes = true): StepSource {
  const fired = [...x.keys()].filter((k) => x[k] !== 0);
  return { spikes: { at: Int32Array.from(fired), count: fired.length }, hasUnitSpikes };
}

const bytesOf = (values: Float32Array) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

const SIZES = [
  [1, 1],
  [7, 3],
  [40, 45],
  [3, 130],
] as const;

describe.each(SIZES)('a node of %d inputs and %d outputs', (inputs, outputs) => {
  it.each([1, 0.6, 0.4, 0])('adds the weights of its inputs, of which a share of %d is not 0', (share) => {
    const node = nodeOf(inputs, outputs, numbers(outputs));
    const { x, y, run } = make(node);
    for (let step = 0; step < 2; step += 1) {
      for (let k = 0; k < inputs; k += 1) x[k] = k / inputs < share ? random.between(-2, 2) : 0;
      expect(run()).toMatchObject({ operations: x.filter((value) => value !== 0).length * outputs, finite: true });
      expect(y).toEqual(byTheBook(node, x));
    }
  });

  it('starts at 0 without a bias', () => {
    const node = nodeOf(inputs, outputs);
    const { x, y, run } = make(node);
    x.fill(0.5);
    run();
    expect(y).toEqual(byTheBook(node, x));
  });

  it('adds the weights of the sources that fired', () => {
    const node = nodeOf(inputs, outputs, numbers(outputs));
    const x = Float32Array.from({ length: inputs }, (_, k) => Number(k % 3 === 0));
    const { x: values, y, run } = make(node, [spikesOf(x)]);
    values.fill(7); // the list tells, and not the values
    expect(run().operations).toBe(Math.ceil(inputs / 3) * outputs);
    expect(y).toEqual(byTheBook(node, x));
  });

  it('takes as much memory as it says', () => {
    const bytes = weightedArenaBytes(inputs, outputs);
    const arena = new Arena(bytes);
    const before = arena.ints(0).byteOffset;
    weightedStep(nodeOf(inputs, outputs), new Float32Array(outputs), [], arena);
    // The weights, the bias, and room for a list of the inputs that are not 0, with their values.
    expect(arena.ints(0).byteOffset - before).toBe(bytes);
  });
});

describe('a node with weights', () => {
  it('weighs spikes that may be several by their values', () => {
    const node = nodeOf(6, 5);
    const values = Float32Array.of(0, 3, 0, 0, 2, 1);
    const { x, y, run } = make(node, [spikesOf(values, false)]);
    x.set(values);
    expect(run().operations).toBe(15);
    expect(y).toEqual(byTheBook(node, values));
  });

  it('adds up the spikes of two sources by their values', () => {
    const node = nodeOf(4, 5);
    const one = spikesOf(Float32Array.of(1, 0, 0, 0));
    const { x, y, run } = make(node, [one, one]);
    x.set([2, 0, 0, 0]);
    run();
    expect(y).toEqual(byTheBook(node, x));
  });

  it.each([
    ['a few inputs', 0.2],
    ['most inputs', 1],
  ])('keeps a −0 of its bias where %s are not 0 and the products are', (_, share) => {
    const node = nodeOf(10, 5, Float32Array.of(1, -0, 2, -0, 3));
    (node.constants.weight as Float32Array).fill(-0).fill(1, 0, 5); // 1 for the first input, which is 0
    const { x, y, run } = make(node);
    for (let k = 1; k < 10; k += 1) x[k] = k / 10 < share ? 1 : 0;
    run();
    expect([...y]).toEqual([1, -0, 2, -0, 3]);
  });

  it('may be its own source, one step late', () => {
    const node = nodeOf(5, 5, numbers(5));
    const { y, run } = make(node);
    const x = numbers(5);
    y.set(x);
    run(y);
    expect(y).toEqual(byTheBook(node, x));
  });

  it.each([
    ['most inputs', 1],
    ['few inputs', 0.1],
  ])('reports a sum that is not finite, of %s', (_, share) => {
    const { x, run } = make(nodeOf(20, 5));
    for (let k = 0; k < 20; k += 1) x[k] = k / 20 < share ? 1 : 0;
    expect(run().finite).toBe(true);
    x[0] = Infinity;
    expect(run().finite).toBe(false);
  });

  describe('of so many weights that its work is cut into pieces', () => {
    const [inputs, outputs] = [12, 148_000];
    const node = nodeOf(inputs, outputs, numbers(outputs));
    const areSame = (a: Float32Array, b: Float32Array) => Buffer.compare(bytesOf(a), bytesOf(b)) === 0;

    it('adds spikes, looking at the interrupt between the pieces', () => {
      const all = new Float32Array(inputs).fill(1);
      const { y, run } = make(node, [spikesOf(all)]);
      const { spent } = run();
      expect(areSame(y, byTheBook(node, all))).toBe(true);
      expect(Math.max(...spent)).toBeLessThanOrEqual(PIECE);
      expect(spent.reduce((sum, units) => sum + units)).toBe(inputs * outputs);
    });

    it.each([
      ['most inputs', [1, 2, 3, 4, 5, 6, 7, 8, 0, 9, 10, 11]],
      ['few inputs', [1, 0, 2, 0, 3, 0, 4, 0, 0, 5, 0, 6]],
    ])('adds %s', (_, values) => {
      const { x, y, run } = make(node);
      x.set(values);
      const { spent, operations } = run();
      expect(areSame(y, byTheBook(node, x))).toBe(true);
      expect(operations).toBe(values.filter((value) => value !== 0).length * outputs);
      expect(Math.max(...spent)).toBeLessThanOrEqual(PIECE);
    });
  });
});
