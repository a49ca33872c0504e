// The types for the layer above: streams, their handlers, connections and the reasons for their end. This folder
// depends on neither gRPC nor Tandem.
import type { Socket } from 'node:net';

/**
 * A decoded header block. It never changes. Equal blocks on one connection may give the same object. So the layer above
 * can store what it derives from a block in `memo`, and finds it at the next call.
 */
export interface Headers {
  /** Name, value, name, value, … in the order of the block. Names are lower case; pseudo-headers come first. */
  readonly list: readonly string[];
  /** The first value of `name` (lower case), or undefined. */
  get(name: string): string | undefined;
  /** A slot for the layer above. This layer neither reads nor writes it. */
  memo: unknown;
}

/**
 * The layer above implements this for one stream. The methods are called in this order: onHeaders (client only), onData
 * for each piece of data, onTrailers at most once. `endStream` says that nothing more follows from the peer.
 */
export interface StreamHandler {
  /** The response's headers, on a client. Informational responses (1xx) are skipped. A server gets headers in `OnStream`. */
  onHeaders(headers: Headers, endStream: boolean): void;
  /**
   * `chunk` is a view that is valid within this call only: copy it to keep it. Its bytes count against the window until
   * `consume`.
   */
  onData(chunk: Buffer, endStream: boolean): void;
  /** The peer's trailers. They end the peer's side. */
  onTrailers(headers: Headers): void;
  /**
   * The stream has ended early: the peer has reset it, an error was found in it, or its connection is closed. If the
   * connection is closed, `code` is CONNECT_ERROR or the code of this side's GOAWAY, and `connection.isClosed` is true.
   * Called at most once, and not after `reset()` or when both sides have ended. A server's answer that ends before its
   * request ends both sides: the rest of the request is not delivered.
   */
  onReset(code: number): void;
  /** Called after `sendData` has returned false, when there is room again. */
  onWritable(): void;
}

/** One exchange of request and response. */
export interface Stream {
  readonly id: number;
  readonly connection: Connection;
  /** The handler that `OnStream` returned or that `open` was given. The layer above may replace it. */
  handler: StreamHandler | undefined;
  /** A slot for the layer above. */
  memo: unknown;
  /** True until the stream has ended on both sides, or was reset. Sending has no effect after that. */
  readonly isOpen: boolean;
  /** `block` is a result of `encodeHeaders`, or several of them joined. It is copied. */
  sendHeaders(block: Uint8Array, endStream: boolean): void;
  /**
   * Sends `bytes`, split to fit the peer's largest frame and its windows. `prefix`, at most 64 bytes, goes before them
   * in the same frame. Both are copied within the call. Returns false if the peer does not read fast enough: send no
   * more until `onWritable`. The given bytes are sent all the same.
   */
  sendData(bytes: Uint8Array, endStream: boolean, prefix?: Uint8Array): boolean;
  /** Sends headers that end the stream, after all waiting data. */
  sendTrailers(block: Uint8Array): void;
  /** Ends the stream at once in both directions. Waiting data is dropped. */
  reset(code: number): void;
  /** Enlarges the peer's window by `bytes` that `onData` delivered. To slow the peer down, do not call this yet. */
  consume(bytes: number): void;
}

/** Why a connection is closed, for logs and metrics. */
export interface CloseReason {
  /**
   * The error code (RFC 9113, section 7) that was sent or received in GOAWAY; NO_ERROR if the socket ended without one.
   */
  readonly code: number;
  readonly by: 'peer' | 'here';
  /** What happened, in plain words; the debug text of the GOAWAY. */
  readonly text: string;
  /** The budget that was exceeded, such as "resets" or "pings"; undefined if none was. */
  readonly budget: string | undefined;
}

/** Slows down the reading of connections whose peer sends much data that is not used. */
export interface Pacer {
  /** No data is read before this time of performance.now(), in ms; 0 or less: no pause. */
  readonly restsUntilMs: number;
  /** Counts bytes of data that are not used, for example of ended streams. */
  discarded(bytes: number): void;
}

export interface Connection {
  readonly socket: Socket;
  /** The owner: owners read in turns. The layer above may set it; until then it is the IP address. */
  owner: unknown;
  /** Set by the layer above. Undefined: the connection is never slowed down. */
  pacer: Pacer | undefined;
  /** A slot for the layer above. */
  memo: unknown;
  /** Called once, when the connection is closed, after `onReset` of every stream. */
  onClosed: ((reason: CloseReason) => void) | undefined;
  /**
   * The peer accepts no new streams. Streams above `lastStreamId` get `onReset(REFUSED_STREAM)` and may be sent again.
   */
  onGoaway: ((code: number, lastStreamId: number, debug: string) => void) | undefined;
  /** Number of open streams. */
  readonly openStreams: number;
  /** Handlers of the open streams. A copy, which does not change when streams open or end. */
  handlers(): readonly StreamHandler[];
  /** True if no stream is open and nothing waits to be written. */
  readonly isIdle: boolean;
  readonly isClosed: boolean;
  /** Bytes in memory for this connection: received but not consumed, or not yet written. */
  readonly bytesHeld: number;
  /** Calls back with the round trip in ms, or with undefined if the connection closed first. */
  ping(onAnswer: (roundTripMs: number | undefined) => void): void;
  /** Graceful end: accepts no new streams, and ends the socket after the last open stream. */
  goaway(): void;
  /** Ends at once: sends GOAWAY with `code`, calls `onReset` for every open stream, and ends the socket. */
  close(code?: number, text?: string): void;
}

/**
 * On a server: called for each request. It returns the handler of the stream, or undefined if it needs no further
 * events.
 */
export type OnStream = (stream: Stream, headers: Headers, endStream: boolean) => StreamHandler | undefined;
