// Hand-written HTTP/2, for a client that breaks rules which every library keeps. See RFC 9113, section 4.1, and RFC
// 7541, 6.2.2.
import type { Socket } from 'node:net';
import { connectTo } from '../support/connect-to.ts';

export const FrameType = { DATA: 0, HEADERS: 1, RST_STREAM: 3, SETTINGS: 4, WINDOW_UPDATE: 8 } as const;
const END_STREAM = 1;
const END_HEADERS = 4;
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const INITIAL_WINDOW_SIZE = 4;
const CANCEL = 8;
export const MAX_WINDOW = 2 ** 30;

export function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A message as gRPC puts it into DATA frames. */
export function framed(message: Uint8Array, isCompressed = false): Buffer {
  const head = Buffer.alloc(5);
  head[0] = isCompressed ? 1 : 0;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Without Huffman codes and tables. Names and values are shorter than 127 bytes. */
function headerBlock(path: string): Buffer {
  const headers = {
    ':method': 'POST',
    ':scheme': 'http',
    ':path': path,
    ':authority': 'hostile',
    'content-type': 'application/grpc',
    te: 'trailers',
  };
  const literal = (text: string): Buffer[] => [Buffer.of(text.length), Buffer.from(text)];
  return Buffer.concat(
    Object.entries(headers).flatMap(([name, value]) => [Buffer.of(0), ...literal(name), ...literal(value)]),
  );
}

/** The first bytes of a client. `window`: bytes of each answer, and of all, that the engine may send. */
export function opening(window: number): Buffer {
  const setting = Buffer.concat([Buffer.of(0, INITIAL_WINDOW_SIZE), uint32(window)]);
  const frames = [Buffer.from(PREFACE), frame(FrameType.SETTINGS, 0, 0, setting)];
  if (window > 0) frames.push(frame(FrameType.WINDOW_UPDATE, 0, 0, uint32(window)));
  return Buffer.concat(frames);
}

interface HandMade {
  readonly socket: Socket;
  /** Opens a call and sends `body`, which must fit one frame. Returns the stream's number. */
  call(path: string, body: Buffer, options: { readonly ends: boolean }): number;
  reset(stream: number): void;
}

/** A connection that reads and ignores its data, or does not read if `reads` is false. */
export function handMade(
  address: string,
  { window, reads }: { readonly window: number; readonly reads: boolean },
): HandMade {
  const socket = connectTo(address).on('error', () => undefined);
  if (reads) socket.resume();
  socket.write(opening(window));
  let next = 1;
  return {
    socket,
    call: (path, body, { ends }) => {
      const stream = next;
      next += 2;
      socket.write(frame(FrameType.HEADERS, END_HEADERS, stream, headerBlock(path)));
      socket.write(frame(FrameType.DATA, ends ? END_STREAM : 0, stream, body));
      return stream;
    },
    reset: (stream) => void socket.write(frame(FrameType.RST_STREAM, 0, stream, uint32(CANCEL))),
  };
}
