// The gRPC server: dispatches calls from sockets to handlers. It does not listen itself: pass it the connections that a
// net.Server or tls.Server accepts (see listen.ts).
import type { Socket } from 'node:net';
import {
  type CloseReason,
  ErrorCode,
  type Headers,
  type Limits,
  ReadTurns,
  ServerConnection,
  type Stream,
  type StreamHandler,
  errorCodeName,
} from '../http2/index.ts';
import { type ArrivalLimits, Arrivals, type Unheard } from './arrivals.ts';
import type { Metadata } from './metadata.ts';
import type { CallOwner, Method } from './method.ts';
import { Peer } from './peer.ts';
import { PlainRefusal, sendPlain } from './plain-refusal.ts';
import { RequestHead, endBlock, endHeaders } from './request-head.ts';
import type { CallHost } from './call-host.ts';
import { ServerCall } from './server-call.ts';
import { type Status, status } from './status.ts';

/**
 * Called when a call's headers have arrived, before its message. Returns the status that refuses the call, or else its
 * owner.
 */
type Authorize = (method: Method, metadata: Metadata, socket: Socket) => Status | CallOwner | undefined;

/** Returns the status that ends an open call; undefined: it goes on. */
type WhyEnd = (method: Method, metadata: Metadata, socket: Socket) => Status | undefined;

/** Why a connection ended with an error. */
export interface ConnectionFault {
  /** The exceeded budget, or the HTTP/2 error code: one of a few fixed texts. */
  readonly kind: string;
  /** What happened. */
  readonly text: string;
  /** IP address of the client; empty: it has none. */
  readonly peer: string;
}

interface ServerOptions {
  readonly methods: readonly Method[];
  /** Read at every call: it may change while the server runs. */
  readonly arrivals?: ArrivalLimits;
  readonly http2?: Partial<Limits>;
  /** Default: every call is allowed. */
  readonly authorize?: Authorize;
  /** The owner of a connection while none of its calls has one. */
  readonly strangerAt?: (socket: Socket) => CallOwner;
  /** Called when a connection gets its first open call with an owner, and when it has lost the last one. */
  readonly onBusy?: (socket: Socket) => void;
  readonly onIdle?: (socket: Socket) => void;
  /** A connection has ended with an error. */
  readonly onFault?: (fault: ConnectionFault) => void;
  /** See CallHost. By default the caller gets `status`. */
  readonly onUnheard?: CallHost['onUnheard'];
  readonly onBug?: CallHost['onBug'];
}

/** A request may have 4 MiB, as in gRPC's libraries, all together 64 times that, and each may take half a minute. */
const DEFAULT_LIMITS: ArrivalLimits = {
  maxMessageBytes: 4_194_304,
  maxOpenBytes: 64 * 4_194_304,
  messageTimeoutMs: 30_000,
};

const HEADERS_TOO_LARGE = endHeaders(
  status('RESOURCE_EXHAUSTED', 'the metadata is larger than this server takes; send less'),
  '431',
);

export class GrpcServer implements CallHost {
  readonly arrivals: Arrivals;
  readonly #options: ServerOptions;
  readonly #methods: ReadonlyMap<string, Method>;
  readonly #peers = new Set<Peer>();
  readonly #limits: Partial<Limits>;
  #onGone: () => void = () => undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.arrivals = new Arrivals(options.arrivals ?? DEFAULT_LIMITS);
    this.#methods = new Map(options.methods.map((method) => [method.path, method]));
    // Connections of other servers, such as one that takes spans of engines, must not make these wait for turns.
    this.#limits = { headersTooLargeAnswer: HEADERS_TOO_LARGE, turns: new ReadTurns(), ...options.http2 };
  }

  /** Serves a connection that was accepted. */
  readonly accept = (socket: Socket): void => {
    if (socket.destroyed) return;
    const connection = new ServerConnection(socket, this.#onStream, this.#limits);
    const peer = new Peer(connection, this.#options.strangerAt);
    connection.memo = peer;
    this.#peers.add(peer);
    connection.onClosed = (reason) => {
      this.#peers.delete(peer);
      if (this.#peers.size === 0) this.#onGone();
      this.#tellFault(reason, peer.address);
    };
  };

  /** Drains: finishes calls in flight, then closes connections. Resolves when all are closed. */
  async drain(): Promise<void> {
    for (const { connection } of this.#peers) connection.goaway();
    if (this.#peers.size > 0) await new Promise<void>((resolve) => (this.#onGone = resolve));
  }

  /** Ends those open calls that `whyEnd` has a status for. Their handlers are told. */
  endCalls(whyEnd: WhyEnd): void {
    for (const { connection } of this.#peers) {
      for (const call of connection.handlers()) {
        if (!(call instanceof ServerCall)) continue;
        const status = whyEnd(call.method, call.metadata, connection.socket);
        if (status !== undefined) call.cutWith(status);
      }
    }
  }

  /** Ends everything at once. */
  close(): void {
    for (const { connection } of this.#peers) connection.close();
  }

  readonly #onStream = (stream: Stream, headers: Headers, endStream: boolean): StreamHandler | undefined => {
    const head = RequestHead.of(headers, this.#methods);
    const peer = stream.connection.memo as Peer;
    if (head.plainAnswer !== undefined) {
      peer.unpaid();
      const { wheel, limits } = this.arrivals;
      if (!endStream) return new PlainRefusal(stream, head.plainAnswer, wheel, limits.messageTimeoutMs);
      sendPlain(stream, head.plainAnswer);
      return undefined;
    }
    if (head.refusal !== undefined) {
      peer.unpaid();
      stream.sendHeaders(head.refusal, true);
      return undefined;
    }
    const method = head.method!;
    const owner = this.#options.authorize?.(method, head.metadata, peer.connection.socket);
    if (owner !== undefined && 'code' in owner) {
      peer.unpaid();
      stream.sendHeaders(endBlock(owner), true);
      return undefined;
    }
    if (owner === undefined) peer.unpaid();
    else peer.calledBy(owner);
    const call = new ServerCall(this, peer, stream, head, method, owner);
    stream.handler = call;
    if (this.#isWork(owner)) {
      peer.calls += 1;
      if (peer.calls === 1) this.#options.onBusy?.(peer.connection.socket);
    }
    call.begin(endStream);
    return call;
  };

  /** Calls that need no caller, such as a health watch, do not keep a connection that others need. */
  #isWork(owner: CallOwner | undefined): boolean {
    return owner !== undefined || this.#options.authorize === undefined;
  }

  #tellFault({ code, by, text, budget }: CloseReason, peer: string): void {
    if (code === ErrorCode.NO_ERROR) return;
    // A client may send any code.
    const kind = budget ?? (by === 'peer' ? 'GOAWAY of the client' : errorCodeName(code));
    this.#options.onFault?.({ kind, text, peer });
  }

  onUnheard(why: Unheard, status: Status, method: Method, sinceMs: number, owner: CallOwner | undefined): Status {
    return this.#options.onUnheard?.(why, status, method, sinceMs, owner) ?? status;
  }

  onBug(path: string, error: unknown): void {
    this.#options.onBug?.(path, error);
  }

  closed(peer: Peer, owner: CallOwner | undefined): void {
    if (!this.#isWork(owner)) return;
    peer.calls -= 1;
    if (peer.calls === 0) this.#options.onIdle?.(peer.connection.socket);
  }
}
