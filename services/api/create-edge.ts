import type { Method } from '../grpc/method.ts';
import type { Edge, EdgeOptions } from './edge.ts';
import { OwnEdge } from './own-edge.ts';

/** Setting `edge`. */
export type EdgeKind = 'own' | 'grpc-js';

export async function createEdge(kind: EdgeKind, methods: readonly Method[], options: EdgeOptions): Promise<Edge> {
  if (kind === 'own') return new OwnEdge(methods, options);
  // Only where it is wanted: it takes 9 MB.
  const { GrpcJsEdge } = await import('./grpc-js/edge.ts');
  return new GrpcJsEdge(methods, options);
}
