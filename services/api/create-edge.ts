import type { Method } from '../grpc/method.ts';
import type { Edge, EdgeOptions } from './edge.ts';
import { GrpcJsEdge } from './grpc-js/edge.ts';
import { OwnEdge } from './own-edge.ts';

/** Setting `edge`. */
export type EdgeKind = 'own' | 'grpc-js';

export function createEdge(kind: EdgeKind, methods: readonly Method[], options: EdgeOptions): Edge {
  return kind === 'own' ? new OwnEdge(methods, options) : new GrpcJsEdge(methods, options);
}
