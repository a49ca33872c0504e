// The order of evaluation and the delayed edges: a depth-first walk back from each Output of the root graph.
import type { FlatGraph } from './flatten.ts';
import { ModelError } from './model-error.ts';

export interface Order {
  /** The evaluated nodes, in order of evaluation. */
  readonly sequence: readonly number[];
  /** For each node, which of its `sources` it gets one step late. */
  readonly delayed: readonly (readonly boolean[])[];
}

type Mark = 'unseen' | 'walking' | 'done';

/** Iterative with an explicit stack, for chains of thousands of nodes. */
export function orderNodes(graph: FlatGraph): Order {
  const marks = graph.nodes.map((): Mark => 'unseen');
  const delayed = graph.nodes.map((node) => node.sources.map(() => false));
  const sequence: number[] = [];
  const stack: { readonly node: number; next: number }[] = [];

  const enter = (node: number): void => {
    marks[node] = 'walking';
    stack.push({ node, next: 0 });
  };

  for (const output of graph.outputs) {
    enter(output);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const { node, next } = top;
      const source = graph.nodes[node]!.sources[next];
      if (source === undefined) {
        marks[node] = 'done';
        sequence.push(node);
        stack.pop();
        continue;
      }
      top.next += 1;
      if (marks[source] === 'unseen') enter(source);
      else if (marks[source] === 'walking') delayed[node]![next] = true;
    }
  }

  const lost = graph.inputs.find((input) => marks[input] !== 'done');
  if (lost !== undefined) throw ModelError.field(graph.nodes[lost]!.name, 'edges', 'does not reach an Output');
  return { sequence, delayed };
}
