// A NIR graph as plain data: what the reader makes of a file, before anything is known of sizes or order.
import type { NodeType } from './node-types.ts';

export interface Parameter {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

export interface NirNode {
  readonly type: NodeType;
  /** Floating-point fields. Those that may be absent, and are, have their one default element here. */
  readonly parameters: ReadonlyMap<string, Parameter>;
  /** Fields of whole numbers that the file has. */
  readonly integers: ReadonlyMap<string, readonly number[]>;
}

export interface NirGraph {
  readonly type: 'NIRGraph';
  readonly nodes: ReadonlyMap<string, NirNode | NirGraph>;
  /** Source and target, by name within this graph. */
  readonly edges: readonly (readonly [string, string])[];
}
