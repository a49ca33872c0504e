// What the layer above this one uses: streams, their handlers, connections and what ended them. HTTP/2 (RFC 9113) over a
// net.Socket or tls.TLSSocket, with HPACK (RFC 7541). This folder knows neither gRPC nor Tandem.
import type { Socket } from 'node:net';

/**
 * A decoded header block. It never changes. Equal blocks on one connection may give the same object, so that what the
 * layer above derives of a block can be kept in `memo` and is there again at the next call.
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
 * What the layer above does with one stream. The methods are called in this order: onHeaders (client only), onData as often
 * as there is data, onTrailers at most once. `endStream` says that nothing more follows from the peer.
 */
export interface StreamHandler {
  /** The response's headers, on a client. Informational responses (1xx) are skipped. A server gets headers in `OnStream`. */
  onHeaders(headers: Headers, endStream: boolean): void;
  /** `chunk` is a view that is valid within this call only: copy what is kept. Its bytes count until `consume`. */
  onData(chunk: Buffer, endStream: boolean): void;
  /** The peer's trailers; they end the peer's side. */
  onTrailers(headers: Headers): void;
  /**
   * The stream has ended before its time: the peer has reset it, an error was found in it, or its connection is closed
   * (CONNECT_ERROR, or the code of the GOAWAY with which this side has closed it; `connection.isClosed` is true then).
   * Called at most once, and not after `reset()` or when both sides have ended. A server's answer that ends before its
   * request does ends both sides: the rest of the request is not heard.
   */
  onReset(code: number): void;
  /** After `sendData` has returned false: there is room again. */
  onWritable(): void;
}

/** One exchange of request and response. */
export interface Stream {
  readonly id: number;
  readonly connection: Connection;
  /** Set by what `OnStream` returns or by `open`; may be replaced by the layer above. */
  handler: StreamHandler | undefined;
  /** A slot for the layer above. */
  memo: unknown;
  /** True until the stream has ended on both sides, or was reset. After that all sending does nothing. */
  readonly isOpen: boolean;
  /** `block` comes from `encodeHeaders`, or is several of its results one after the other. It is copied. */
  sendHeaders(block: Uint8Array, endStream: boolean): void;
  /**
   * Sends `bytes`, cut to the peer's largest frame and to its windows. `prefix`, at most 64 bytes, goes before them in the
   * same frame. Both are copied within the call. Returns false if the peer does not read fast enough: send no more until
   * `onWritable`. What was given is sent all the same.
   */
  sendData(bytes: Uint8Array, endStream: boolean, prefix?: Uint8Array): boolean;
  /** Sends headers that end the stream, after all data that waits. */
  sendTrailers(block: Uint8Array): void;
  /** Ends the stream at once in both directions. Data that waits is dropped. */
  reset(code: number): void;
  /** Gives the peer room for `bytes` more, which `onData` delivered. Not consuming is the way to slow the peer down. */
  consume(bytes: number): void;
}

/** Why a connection is closed, for logs and metrics. */
export interface CloseReason {
  /** An error code of RFC 9113, section 7: what was sent or received in GOAWAY; NO_ERROR if the socket just ended. */
  readonly code: number;
  readonly by: 'peer' | 'here';
  /** What happened, in plain words; the debug text of the GOAWAY. */
  readonly text: string;
  /** The budget that was exceeded, such as "resets" or "pings"; undefined if none was. */
  readonly budget: string | undefined;
}

/** Slows down the reading of connections whose peer sends much data that is not used. */
export interface Pacer {
  /** No data is read before this time, on performance.now()'s clock; 0 or less: no pause. */
  readonly restsUntilMs: number;
  /** Counts bytes of data that are not used, as for streams that have ended. */
  discarded(bytes: number): void;
}

export interface Connection {
  readonly socket: Socket;
  /** Whose it is, for the layer above to say: owners read in turns. The IP address until then. */
  owner: unknown;
  /** Set by the layer above. Undefined: the connection is never slowed down. */
  pacer: Pacer | undefined;
  /** A slot for the layer above. */
  memo: unknown;
  /** Called once, when the connection is closed and every stream has heard `onReset`. */
  onClosed: ((reason: CloseReason) => void) | undefined;
  /** The peer takes no new streams. Streams above `lastStreamId` hear `onReset(REFUSED_STREAM)` and may be sent again. */
  onGoaway: ((code: number, lastStreamId: number, debug: string) => void) | undefined;
  /** Streams that are open. */
  readonly openStreams: number;
  /** Handlers of the streams that are open. A copy, which does not change while streams come and go. */
  handlers(): readonly StreamHandler[];
  /** True if no stream is open and nothing waits to be written. */
  readonly isIdle: boolean;
  readonly isClosed: boolean;
  /** Bytes kept for this connection: received but not consumed, and not yet written. */
  readonly bytesHeld: number;
  /** Calls back with the round trip in ms, or with undefined if the connection closed first. */
  ping(onAnswer: (roundTripMs: number | undefined) => void): void;
  /** Graceful end: no new streams; those that are open go on; the socket ends after the last of them. */
  goaway(): void;
  /** Ends now: GOAWAY with `code`, `onReset` for every open stream, and the socket ends. */
  close(code?: number, text?: string): void;
}

/** Server side: called for each request. It returns the handler of the stream, or undefined if it needs to hear no more. */
export type OnStream = (stream: Stream, headers: Headers, endStream: boolean) => StreamHandler | undefined;
