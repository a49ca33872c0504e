// A peer that a test scripts frame by frame, to test services/http2 with frames that a real one never sends.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import * as wire from '../edge/wire.ts';
import { ClientConnection } from '../../services/http2/client-connection.ts';
import { encodeHeaders } from '../../services/http2/hpack-encoder.ts';
import type { Limits } from '../../services/http2/limits.ts';
import { ServerConnection } from '../../services/http2/server-connection.ts';
import { Ticker } from '../../services/http2/ticker.ts';
import type { CloseReason, OnStream, Stream, StreamHandler, Headers } from '../../services/http2/types.ts';

const { Flag, FrameType } = wire;

export interface Frame {
  readonly type: string;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

const TYPES = Object.keys(FrameType);
export const PREFACE = wire.PREFACE.toString('latin1');
export const { ACK, END_HEADERS, END_STREAM, PADDED }: Readonly<Record<keyof typeof Flag, number>> = Flag;
export const { uint32 } = wire;
/** The header block of a request. */
export const GET = encodeHeaders([':method', 'GET', ':scheme', 'http', ':path', '/']);

type Bytes = readonly number[] | Uint8Array;

export function frame(type: number | string, flags: number, id: number, payload: Bytes = []): Buffer {
  const number = typeof type === 'number' ? type : TYPES.indexOf(type);
  return wire.frame(number, flags, id, Uint8Array.from(payload));
}

/** Pairs of setting and value. */
export function settings(...pairs: [number, number][]): Buffer {
  return frame(
    'SETTINGS',
    0,
    0,
    Buffer.concat(pairs.map(([key, value]) => Buffer.concat([uint32(key).subarray(2), uint32(value)]))),
  );
}

export class Http2Peer {
  readonly socket: Socket;
  #bytes = Buffer.alloc(0);
  #isEnded = false;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => this.#add(chunk));
    socket.on('error', () => undefined);
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#isEnded = true;
        this.#wake();
      });
    }
  }

  send(...pieces: (Buffer | string)[]): this {
    this.socket.write(
      Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece))),
    );
    return this;
  }

  /** The next frame, or undefined when the connection has ended. */
  async next(): Promise<Frame | undefined> {
    for (;;) {
      const found = this.#take();
      if (found !== undefined) return found;
      if (this.#isEnded) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** The next frame of a type; others are skipped. */
  async until(type: string): Promise<Frame> {
    for (;;) {
      const found = await this.next();
      if (found === undefined) throw new Error(`the connection ended before a ${type} frame`);
      if (found.type === type) return found;
    }
  }

  /** All frames until the answer to a PING, so all effects of earlier frames; or until the end. */
  async settled(): Promise<Frame[]> {
    const payload = Buffer.from('settled?');
    this.send(frame('PING', 0, 0, payload));
    const frames: Frame[] = [];
    for (;;) {
      const found = await this.next();
      if (found === undefined || (found.type === 'PING' && found.payload.equals(payload))) return frames;
      frames.push(found);
    }
  }

  /** Error code and text of the GOAWAY that ends the connection. */
  async goaway(): Promise<{ code: number; text: string; lastStreamId: number }> {
    const { payload } = await this.until('GOAWAY');
    return {
      lastStreamId: payload.readUInt32BE(0),
      code: payload.readUInt32BE(4),
      text: payload.toString('latin1', 8),
    };
  }

  /** All bytes until the end, as text. */
  async text(): Promise<string> {
    while (!this.#isEnded) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#bytes.toString('latin1');
  }

  #add(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    this.#wake();
  }

  #take(): Frame | undefined {
    const bytes = this.#bytes;
    if (bytes.length < 9 || bytes.length < 9 + bytes.readUIntBE(0, 3)) return undefined;
    const end = 9 + bytes.readUIntBE(0, 3);
    this.#bytes = bytes.subarray(end);
    return {
      type: TYPES[bytes[3]!] ?? String(bytes[3]),
      flags: bytes[4]!,
      id: bytes.readUInt32BE(5),
      payload: Buffer.from(bytes.subarray(9, end)),
    };
  }
}

/** A handler that records its events as short texts. */
export class Recorder implements StreamHandler {
  readonly received: string[] = [];
  onWritableCall: () => void = () => undefined;

  onHeaders(headers: Headers, endStream: boolean): void {
    this.received.push(`headers ${headers.list.join(' ')}${endStream ? ' end' : ''}`);
  }

  onData(chunk: Buffer, endStream: boolean): void {
    this.received.push(`data ${chunk.toString('latin1')}${endStream ? ' end' : ''}`);
  }

  onTrailers(headers: Headers): void {
    this.received.push(`trailers ${headers.list.join(' ')}`);
  }

  onReset(code: number): void {
    this.received.push(`reset ${code}`);
  }

  onWritable(): void {
    this.received.push('writable');
    this.onWritableCall();
  }
}

const servers = new Set<Server>();
const sockets = new Set<Socket>();

async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    sockets.add(socket);
    onSocket(socket);
  });
  servers.add(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

function dial(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  sockets.add(socket);
  return socket;
}

/** Call this after each test. */
export function closeAll(): void {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  sockets.clear();
  servers.clear();
}

export class ServerUnderTest {
  readonly ticker = new Ticker();
  readonly reasons: CloseReason[] = [];
  readonly connections: ServerConnection[] = [];
  readonly streams: Stream[] = [];
  readonly recorders: Recorder[] = [];
  port = 0;

  /** A server with recording handlers, or with the handlers of `onStream`. */
  static async start(limits: Partial<Limits> = {}, onStream?: OnStream): Promise<ServerUnderTest> {
    const server = new ServerUnderTest();
    const record: OnStream = (_stream, headers, endStream) => {
      const recorder = new Recorder();
      recorder.onHeaders(headers, endStream);
      server.recorders.push(recorder);
      return recorder;
    };
    const accept: OnStream = (stream, headers, endStream) => {
      server.streams.push(stream);
      return (onStream ?? record)(stream, headers, endStream);
    };
    server.port = await listen((socket) => {
      const connection = new ServerConnection(socket, accept, limits, server.ticker);
      connection.onClosed = (reason) => server.reasons.push(reason);
      server.connections.push(connection);
    });
    return server;
  }

  /** A peer that has sent nothing. */
  dial(): Http2Peer {
    return new Http2Peer(dial(this.port));
  }

  /** A peer after both sides have exchanged their settings. */
  async connect(...first: Buffer[]): Promise<Http2Peer> {
    const peer = this.dial().send(PREFACE, ...(first.length > 0 ? first : [settings()]));
    await peer.settled();
    return peer;
  }

  seconds(count: number): void {
    for (let second = 0; second < count; second++) this.ticker.tick();
  }
}

/** A tested client, connected to a scripted server, after its preface. */
export async function clientUnderTest(
  limits: Partial<Limits> = {},
  first: Buffer = settings(),
): Promise<{ client: ClientConnection; peer: Http2Peer; ticker: Ticker; reasons: CloseReason[] }> {
  const accepted = Promise.withResolvers<Socket>();
  const port = await listen(accepted.resolve);
  const ticker = new Ticker();
  const client = new ClientConnection(dial(port), limits, ticker);
  const reasons: CloseReason[] = [];
  client.onClosed = (reason) => reasons.push(reason);
  const socket = await accepted.promise;
  const preface = Buffer.alloc(PREFACE.length);
  while (socket.readableLength < PREFACE.length) await once(socket, 'readable');
  preface.set(socket.read(PREFACE.length) as Buffer);
  if (preface.toString('latin1') !== PREFACE) throw new Error('the client does not begin with the preface');
  const peer = new Http2Peer(socket).send(first);
  await peer.settled();
  return { client, peer, ticker, reasons };
}
