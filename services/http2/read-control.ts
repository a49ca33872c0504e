// Decides when a connection reads its socket: in turns with other connections, and only a little after its end.
import type { Socket } from 'node:net';
import { chunkBuffers } from './buffer-pool.ts';
import type { ReadTurns, TurnTaker } from './read-turns.ts';

const MOST_DISCARDED_BYTES = 1 << 20;
/**
 * Bytes that are read before other connections get a turn. Node itself reads up to 2 MB of each socket before the next
 * one, so a few callers that send much would delay all others.
 */
const TURN_BYTES = 262_144;

export class ReadControl {
  readonly #socket: Socket;
  readonly #taker: TurnTaker;
  readonly #turns: ReadTurns | undefined;
  /** Waits for the next turn. */
  #stored: Buffer | undefined = undefined;
  /** Below 0: it is a new chunk. */
  #storedAt = 0;
  /** The stored bytes that are being read. */
  #taken: Buffer | undefined = undefined;
  /** The memory of the stored or taken bytes, if it is of the pool. */
  #pooled: Buffer | undefined = undefined;
  #readInTurn = 0;
  #discarded = 0;

  /** `turns`: undefined on a client, which reads at once, since it requested the data. */
  constructor(socket: Socket, taker: TurnTaker, turns: ReadTurns | undefined) {
    this.#socket = socket;
    this.#taker = taker;
    this.#turns = turns;
  }

  get storedBytes(): number {
    return this.#stored?.length ?? 0;
  }

  get mustWait(): boolean {
    return this.#turns?.isOver(this.#taker) === true;
  }

  /** Returns false if a new chunk must wait for the next turn. It is stored then. */
  mayRead(chunk: Buffer): boolean {
    if (this.#turns === undefined || this.#turns.begin(this.#taker)) return true;
    this.#store(chunk, -1);
    return false;
  }

  /** Stores the rest of a chunk, from `at` on, for the next turn. */
  postpone(chunk: Buffer, at: number): void {
    this.#store(chunk, at);
    this.#turns!.wait(this.#taker);
  }

  /** Returns the stored bytes, and the index to continue at; below 0 for a new chunk. */
  takeStored(): { readonly chunk: Buffer; readonly at: number } {
    const chunk = this.#stored!;
    this.#stored = undefined;
    this.#taken = chunk;
    return { chunk, at: this.#storedAt };
  }

  /** Call this after the stored chunk was read. */
  resume(): void {
    if (this.#discarded <= MOST_DISCARDED_BYTES) this.#socket.resume();
  }

  /**
   * Call this after a chunk was read. After many bytes it pauses until the other connections have read. This costs
   * nothing if there are no others.
   */
  count(bytes: number): void {
    this.#release();
    this.#readInTurn += bytes;
    if (this.#readInTurn < TURN_BYTES) return;
    this.#readInTurn = 0;
    this.#socket.pause();
    setImmediate(() => {
      if (this.#stored === undefined) this.#socket.resume();
    });
  }

  /** Data after the end is still read for a while: otherwise the peer may never see the GOAWAY. */
  discard(chunk: Buffer): void {
    this.#discarded += chunk.length;
    if (this.#discarded > MOST_DISCARDED_BYTES) this.#socket.pause();
  }

  /** The stored bytes were read. */
  #release(): void {
    this.#taken = undefined;
    if (this.#pooled === undefined) return;
    chunkBuffers.give(this.#pooled);
    this.#pooled = undefined;
  }

  /** The socket is paused until the next turn. A new chunk is copied, since it is valid for a moment only. */
  #store(chunk: Buffer, at: number): void {
    const isCopy = chunk === this.#taken;
    this.#stored = isCopy ? chunk : this.#copyOf(chunk.subarray(Math.max(0, at)));
    this.#storedAt = isCopy ? at : Math.min(at, 0);
    this.#socket.pause();
  }

  #copyOf(chunk: Buffer): Buffer {
    if (chunk.length > chunkBuffers.bytes) return Buffer.from(chunk);
    this.#pooled ??= chunkBuffers.take();
    chunk.copy(this.#pooled);
    return this.#pooled.subarray(0, chunk.length);
  }
}
