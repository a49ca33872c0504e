import type { Method } from '../grpc/method.ts';
import type { Edge, EdgeOptions } from './edge.ts';
import { GrpcJsEdge } from './grpc-js/edge.ts';
import { NativeEdge } from './native-edge.ts';

/** Setting `edge`. */
export type EdgeKind = 'native' | 'grpc-js';

export function createEdge(kind: EdgeKind, methods: readonly Method[], options: EdgeOptions): Edge {
  return kind === 'native' ? new NativeEdge(methods, options) : new GrpcJsEdge(methods, options);
}
