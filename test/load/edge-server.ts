// One edge with a handler that returns its request, so that only the edge is measured.
// Usage: node test/load/edge-server.ts native|grpc-js. Prints its address.
import { type EdgeKind, createEdge } from '../../services/api/create-edge.ts';
import { ConnectionLimit } from '../../services/core/connection-limit.ts';
import type { OneRequestMethod } from '../../services/grpc/method.ts';

const MIB = 1_048_576;
const echo: OneRequestMethod<Buffer, Buffer> = {
  ...{ path: '/tandem.v1.ReasoningService/Reason', requestStream: false, responseStream: false },
  ...{ decode: (bytes) => bytes, encode: (bytes) => bytes },
  handle: (call, request) => call.answer(request),
};

const edge = await createEdge(process.argv[2] as EdgeKind, [echo], {
  ...{ listen: '127.0.0.1:0', connections: new ConnectionLimit(1_000), onUnheard: () => undefined },
  ...{ maxMessageBytes: 4 * MIB, maxStreamsPerConnection: 1_024, timeoutMs: 30_000 },
  onInternalError: (path, error) => console.error(path, error),
  onConnectionFault: (fault) => console.error(fault),
});
const port = await edge.start();
process.stdout.write(`127.0.0.1:${port}\n`);
