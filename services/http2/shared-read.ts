// Reads sockets into one buffer that they share. Otherwise Node.js allocates 64 KB for each read: a lone call then takes
// 1.3 times the CPU time, and so much memory outside the heap causes full garbage collections.
//
// Not for TLS: Node.js gives its sockets no such option, so they are read as streams.
import { type NetConnectOpts, type OnReadOpts, Socket, connect } from 'node:net';
import { chunkBuffers } from './buffer-pool.ts';

type OnChunk = (chunk: Buffer) => void;

const shared = chunkBuffers.take();

class SharedReader {
  readonly options: OnReadOpts = { buffer: shared, callback: (bytes) => this.#onRead(bytes) };
  #onChunk: OnChunk | undefined;
  /** A copy of what arrived before there was a listener. */
  #early: Buffer | undefined;

  listen(socket: Socket, onChunk: OnChunk): void {
    this.#onChunk = onChunk;
    const early = this.#early;
    this.#early = undefined;
    if (early === undefined) return;
    process.nextTick(() => {
      socket.resume(); // first: the listener may pause
      onChunk(early);
    });
  }

  /** False stops reading until `resume`. */
  #onRead(bytes: number): boolean {
    const chunk = shared.subarray(0, bytes);
    if (this.#onChunk === undefined) this.#early = Buffer.from(chunk);
    else this.#onChunk(chunk);
    return this.#onChunk !== undefined;
  }
}

const readers = new WeakMap<Socket, SharedReader>();

export function connectShared(options: NetConnectOpts): Socket {
  const reader = new SharedReader();
  const socket = connect({ ...options, onread: reader.options });
  readers.set(socket, reader);
  return socket;
}

/**
 * Returns the socket to use instead of one that was accepted just now: a server has no option for the buffer, so another
 * socket takes over the handle. The field of the handle is not documented. Without it, this returns the accepted socket.
 */
export function takeOver(accepted: Socket): Socket {
  const holder = accepted as unknown as { _handle: { readonly useUserBuffer?: unknown } | null };
  const handle = holder._handle;
  if (typeof handle?.useUserBuffer !== 'function') return accepted;
  holder._handle = null;
  const reader = new SharedReader();
  const socket = new Socket({ handle, onread: reader.options } as object);
  readers.set(socket, reader);
  // So that the server knows how many connections it has.
  socket.on('close', () => accepted.destroy());
  return socket;
}

/** Starts reading. A chunk is valid within the call only. */
export function readChunks(socket: Socket, onChunk: OnChunk): void {
  const reader = readers.get(socket);
  if (reader !== undefined) {
    reader.listen(socket, onChunk);
    return;
  }
  socket.on('data', onChunk);
}
