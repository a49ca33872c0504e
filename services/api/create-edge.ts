import type { Method } from '../grpc/method.ts';
import type { Edge, EdgeOptions } from './edge.ts';
import { NativeEdge } from './native-edge.ts';

/** Setting `edge`. */
export type EdgeKind = 'native' | 'grpc-js';

export async function createEdge(kind: EdgeKind, methods: readonly Method[], options: EdgeOptions): Promise<Edge> {
  if (kind === 'native') return new NativeEdge(methods, options);
  // Loaded only if needed: it takes 9 MB.
  const { GrpcJsEdge } = await import('./grpc-js/edge.ts');
  return new GrpcJsEdge(methods, options);
}
