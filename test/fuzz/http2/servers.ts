// The two servers, without sockets: ours, and Node's. Each answers a request when it has ended.
import { EventEmitter } from 'node:events';
import { type ServerHttp2Stream, createServer } from 'node:http2';
import type { Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import {
  type Headers,
  type Stream,
  type StreamHandler,
  ReadTurns,
  ServerConnection,
  encodeHeaders,
} from '../../../services/http2/index.ts';
import { OutcomeReader } from './outcome.ts';

export interface Subject {
  readonly reader: OutcomeReader;
  /** Gives it the bytes of a client. */
  take(bytes: Buffer): void;
  end(): void;
}

const HEADERS = encodeHeaders([':status', '200']);
const ANSWER = Buffer.from('ok');

/** What services/http2 uses of a socket. */
class FakeSocket extends EventEmitter {
  readonly #reader: OutcomeReader;
  readonly writableLength = 0;
  readonly writableNeedDrain = false;
  bytesWritten = 0;
  destroyed = false;

  constructor(reader: OutcomeReader) {
    super();
    this.#reader = reader;
  }

  setNoDelay(): this {
    return this;
  }

  cork(): void {}

  uncork(): void {}

  write(chunk: Uint8Array | string): boolean {
    const bytes = Buffer.from(chunk as Uint8Array);
    this.bytesWritten += bytes.length;
    this.#reader.read(bytes);
    return true;
  }

  end(): this {
    this.#reader.close();
    return this;
  }

  destroy(): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.#reader.close();
    this.emit('close');
    return this;
  }
}

function onStream(stream: Stream, _headers: Headers, endStream: boolean): StreamHandler | undefined {
  const answer = (): void => {
    stream.sendHeaders(HEADERS, false);
    stream.sendData(ANSWER, true);
  };
  if (endStream) {
    answer();
    return undefined;
  }
  return {
    onHeaders: () => undefined,
    onData: (chunk, end) => {
      stream.consume(chunk.length);
      if (end) answer();
    },
    onTrailers: answer,
    onReset: () => undefined,
    onWritable: () => undefined,
  };
}

export function ours(): Subject {
  const reader = new OutcomeReader();
  const socket = new FakeSocket(reader);
  // Of its own, so that it reads at once.
  new ServerConnection(socket as unknown as Socket, onStream, { turns: new ReadTurns() });
  return { reader, take: (bytes) => socket.emit('data', bytes), end: () => socket.destroy() };
}

const nodeServer = createServer();
nodeServer.on('stream', (stream: ServerHttp2Stream) => {
  stream.on('error', () => undefined);
  stream.on('end', () => {
    if (stream.destroyed || stream.closed || stream.headersSent) return;
    stream.respond({ ':status': 200 });
    stream.end(ANSWER);
  });
  stream.resume();
});
nodeServer.on('sessionError', () => undefined);

export function nodes(): Subject {
  const reader = new OutcomeReader();
  const [client, server] = duplexPair();
  client.on('data', (chunk: Buffer) => reader.read(chunk));
  for (const event of ['end', 'close', 'error']) client.on(event, () => reader.close());
  server.on('error', () => undefined);
  nodeServer.emit('connection', server);
  return {
    reader,
    take: (bytes) => client.write(bytes),
    end: () => {
      client.destroy();
      server.destroy();
    },
  };
}
