// How many elements every node takes and puts out: known from its parameters, or else from a neighbour.
import type { FlatGraph, FlatNode } from './flatten.ts';
import { ModelError } from './model-error.ts';
import { hasMatrix, hasWindow } from './node-types.ts';
import type { OwnSize } from './own-size.ts';
import { flattened, ownSize, sameShape } from './own-size.ts';
import type { Shape, Window } from './window.ts';
import { elementsOf, outputShape, ownInputShape, windowOf } from './window.ts';

export interface Sizes {
  readonly input: Int32Array;
  readonly output: Int32Array;
  /** Of the nodes that have one. */
  readonly windows: readonly (Window | undefined)[];
}

/** Of an output. It only goes from unknown (undefined) to known to mixed: in which order is seen by no one. */
type KnownShape = Shape | 'mixed' | undefined;

export function inferSizes({ nodes }: FlatGraph): Sizes {
  const own = nodes.map(ownSize);
  const input = Int32Array.from(own, (size) => size.input);
  const output = Int32Array.from(own, (size) => size.output);
  const windows = nodes.map((): Window | undefined => undefined);
  const shapes = own.map(({ shape }): KnownShape => shape);
  const targets: number[][] = nodes.map(() => []);
  for (const [at, node] of nodes.entries()) for (const source of node.sources) targets[source]!.push(at);
  const waiting = nodes.map((_, at) => at);
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const [inputBefore, outputBefore, shapeBefore] = [input[at], output[at], shapes[at]];
    if (hasWindow(nodes[at]!.type)) lookThroughWindow(at);
    else lookAround(at, own[at]!);
    if (output[at] !== outputBefore || !sameKnown(shapes[at], shapeBefore)) waiting.push(...targets[at]!);
    if (input[at] !== inputBefore) waiting.push(...nodes[at]!.sources);
  }
  checkEdges(nodes, input, output);
  checkKnown();
  return { input, output, windows };

  function lookAround(at: number, { isFinal }: OwnSize): void {
    const node = nodes[at]!;
    const learn = (size: number): void => {
      if (input[at] === 0) input[at] = size;
    };
    for (const source of node.sources) learn(output[source]!);
    if (!hasMatrix(node.type)) {
      for (const target of targets[at]!) learn(input[target]!);
      output[at] = input[at]!;
    }
    if (isFinal) return;
    const shape = sourceShape(node);
    shapes[at] = node.type === 'Flatten' && typeof shape === 'object' ? flattened(node, shape) : shape;
  }

  function lookThroughWindow(at: number): void {
    const node = nodes[at]!;
    const shape = ownInputShape(node) ?? sourceShape(node);
    if (windows[at] !== undefined || typeof shape !== 'object') return;
    const window = windowOf(node, shape);
    const out = outputShape(node, window);
    windows[at] = window;
    shapes[at] = out;
    input[at] = elementsOf(shape);
    output[at] = elementsOf(out);
  }

  function sourceShape({ sources }: FlatNode): KnownShape {
    let joined: KnownShape;
    for (const source of sources) {
      const shape = shapes[source];
      if (shape === undefined) continue;
      joined = joined === undefined || sameKnown(joined, shape) ? shape : 'mixed';
    }
    return joined;
  }

  function checkKnown(): void {
    for (const [at, node] of nodes.entries()) {
      // Two shapes may have met after the window was made.
      if (hasWindow(node.type) && ownInputShape(node) === undefined && sourceShape(node) === 'mixed') {
        throw ModelError.field(node.name, 'edges', 'its sources have different shapes; give them one shape');
      }
      if (input[at] !== 0 && output[at] !== 0) continue;
      if (!hasWindow(node.type)) {
        throw ModelError.field(node.name, 'shape', 'neither its parameters nor its neighbours tell its size');
      }
      const problem =
        'the shape of its input is unknown; give the Input, or the nodes between, a shape with the channels first';
      throw ModelError.field(node.name, 'edges', problem);
    }
  }
}

function sameKnown(a: KnownShape, b: KnownShape): boolean {
  return typeof a === 'object' && typeof b === 'object' ? sameShape(a, b) : a === b;
}

function checkEdges(nodes: readonly FlatNode[], input: Int32Array, output: Int32Array): void {
  const wrong = nodes.flatMap((node, at) => {
    const differs = (source: number): boolean => {
      return output[source] !== input[at] && output[source] !== 0 && input[at] !== 0;
    };
    return node.sources.filter(differs).map((source) => ({ source, target: at }));
  });
  // Input first: where it has a batch dimension, everything behind it looks wrong.
  const edge = wrong.find(({ source }) => nodes[source]!.type === 'Input') ?? wrong[0];
  if (edge === undefined) return;
  const [source, target] = [nodes[edge.source]!, nodes[edge.target]!];
  const [given, taken] = [output[edge.source]!, input[edge.target]!];
  const problem = `takes ${taken} elements, but its source "${source.name}" puts out ${given}`;
  throw (
    batched(source, given, target, taken) ??
    batched(target, taken, source, given) ??
    ModelError.field(target.name, 'edges', problem)
  );
}

/** A hint for the error, where the first dimension of an Input or Output is likely to be the batch. */
function batched(node: FlatNode, size: number, other: FlatNode, wanted: number): ModelError | undefined {
  const shape = node.integers.get('shape');
  if (shape === undefined || shape.length < 2 || shape[0]! * wanted !== size) return undefined;
  const problem = `[${shape.join(', ')}] has ${size} elements, but "${other.name}" has ${wanted}: it looks like a batch of ${shape[0]}; export the model with a batch of 1`;
  return ModelError.field(node.name, 'shape', problem);
}
