// Serves methods of the API on a separate address, on the tested edge, which TANDEM_EDGE selects.
import type { Method } from '../../services/grpc/method.ts';
import { type EdgeKind, createEdge } from '../../services/api/create-edge.ts';
import type { Edge, EdgeOptions } from '../../services/api/edge.ts';
import { ConnectionLimit } from '../../services/core/connection-limit.ts';

export const EDGES: readonly EdgeKind[] = ['native', 'grpc-js'];

export const edgeUnderTest = (process.env['TANDEM_EDGE'] ?? 'native') as EdgeKind;

export interface Served {
  readonly address: string;
  readonly port: number;
  /** Resolves when no call is open any more. */
  drain(): Promise<void>;
  endRefused(): void;
  stop(): void;
}

export async function serve(
  methods: readonly Method[],
  edge: EdgeKind = edgeUnderTest,
  over: Partial<EdgeOptions> = {},
): Promise<Served> {
  const options: EdgeOptions = {
    ...{ listen: '127.0.0.1:0', connections: new ConnectionLimit(1_000), timeoutMs: 60_000 },
    ...{ maxMessageBytes: 4_194_304, maxStreamsPerConnection: 1_000 },
    onUnheard: () => undefined,
    onConnectionFault: () => undefined,
    onInternalError: (path, error) => {
      throw new Error(`a bug in ${path}`, { cause: error });
    },
  };
  // Not copied, so a test may change `over`.
  const serving = await createEdge(edge, methods, Object.setPrototypeOf(over, options) as EdgeOptions);
  const port = await serving.start();
  return { port, address: `127.0.0.1:${port}`, ...ends(serving) };
}

function ends(serving: Edge): Pick<Served, 'drain' | 'endRefused' | 'stop'> {
  return {
    drain: () => serving.drain(),
    endRefused: () => serving.endRefused(),
    stop: () => serving.close(),
  };
}
