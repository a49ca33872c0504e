// services/http2 alone, as a process. It answers every complete request with 200 and a few bytes, or in gRPC's form for
// a gRPC request. Prints its address.
import { type AddressInfo, createServer } from 'node:net';
import {
  type Headers,
  type Stream,
  type StreamHandler,
  ServerConnection,
  encodeHeaders,
} from '../../services/http2/index.ts';
import { grpcMessage } from './wire.ts';

const HEADERS = encodeHeaders([':status', '200', 'content-type', 'application/grpc']);
const TRAILERS = encodeHeaders(['grpc-status', '0']);
const ANSWER = grpcMessage(Buffer.from('an answer'));

function answer(stream: Stream, isCall: boolean): void {
  stream.sendHeaders(HEADERS, false);
  stream.sendData(ANSWER, !isCall);
  if (isCall) stream.sendTrailers(TRAILERS);
}

function onStream(stream: Stream, headers: Headers, endStream: boolean): StreamHandler | undefined {
  const isCall = headers.get('content-type') === 'application/grpc';
  if (endStream) {
    answer(stream, isCall);
    return undefined;
  }
  return {
    onHeaders: () => undefined,
    onData: (chunk, end) => {
      stream.consume(chunk.length);
      if (end) answer(stream, isCall);
    },
    onTrailers: () => answer(stream, isCall),
    onReset: () => undefined,
    onWritable: () => undefined,
  };
}

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => undefined);
  new ServerConnection(socket, onStream);
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listens on 127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
