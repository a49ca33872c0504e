// A server that answers every call at once with an empty message, to measure the cost of a flooder without the router.
// Prints its address.
import { createEdge } from '../../../services/api/create-edge.ts';
import { ConnectionLimit } from '../../../services/core/connection-limit.ts';
import type { IncomingCall, Method } from '../../../services/grpc/method.ts';
import { REASON, REASON_BATCH, REASON_STREAM } from './requests.ts';

const EMPTY = Buffer.alloc(0);
const asIs = (bytes: Buffer): Buffer => bytes;

const unary = ({ path }: { readonly path: string }): Method => ({
  ...{ path, requestStream: false, responseStream: false, decode: asIs, encode: asIs },
  handle: (call: IncomingCall<Buffer>) => call.answer(EMPTY),
});
const stream: Method = {
  ...{ path: REASON_STREAM.path, requestStream: true, responseStream: true, decode: asIs, encode: asIs },
  handle: (call: IncomingCall<Buffer>) => {
    call.listener = { onMessage: () => void call.send(EMPTY), onEnd: () => call.end() };
  },
};

const edge = await createEdge('native', [unary(REASON), unary(REASON_BATCH), stream], {
  ...{ listen: '127.0.0.1:0', connections: new ConnectionLimit(1_000), onUnheard: () => undefined },
  ...{ maxMessageBytes: 4_194_304, maxStreamsPerConnection: 1_024, timeoutMs: 30_000 },
  onInternalError: (path, error) => console.error(path, error),
  onConnectionFault: () => undefined,
});
process.stdout.write(`127.0.0.1:${await edge.start()}\n`);
