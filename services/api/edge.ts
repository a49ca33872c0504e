// Receives calls. Two edges serve the same methods: our own, over services/grpc, and one over grpc-js.
import type { Socket } from 'node:net';
import type { CallerAccount } from '../auth/caller-account.ts';
import type { ConnectionLimit } from '../core/connection-limit.ts';
import type { RouterError } from '../core/errors.ts';
import type { ListenTls } from '../grpc/listen.ts';
import type { Metadata } from '../grpc/metadata.ts';
import type { ServerCertificate } from '../grpc/secure-server.ts';
import type { ConnectionFault } from '../telemetry/connection-faults.ts';

export interface EdgeOptions {
  /** "host:port" or "unix:PATH". */
  readonly listen: string;
  /** Undefined: plaintext. */
  readonly tls?: ListenTls | undefined;
  readonly connections: ConnectionLimit;
  /** Largest request, bytes. */
  readonly maxMessageBytes: number;
  readonly maxStreamsPerConnection: number;
  /** Called before a call's message has arrived. Returns the error that refuses the call, or else its caller. */
  readonly authorize?: (path: string, metadata: Metadata, socket: Socket) => RouterError | CallerAccount | undefined;
  /** The account of a connection while none of its calls has a known caller. Used by our own edge only, to slow it down. */
  readonly strangerAt?: ((socket: Socket) => CallerAccount) | undefined;
  /** Whether a stream that is open may go on: asked after `auth` has changed. Returns the error that ends it. */
  readonly recheck?: (path: string, metadata: Metadata, socket: Socket) => RouterError | undefined;
  /** Time in which a request must be complete, milliseconds. May change while the edge serves. */
  readonly timeoutMs: number;
  /** Called for a call that ended before its handler had the message. A stream's handler counts it itself. */
  readonly onUnheard: (path: string, error: RouterError, sinceMs: number) => void;
  readonly onInternalError: (path: string, error: RouterError) => void;
  /** Called when a connection ended because of an error. Only our own edge reports this. */
  readonly onConnectionFault: (fault: ConnectionFault) => void;
}

export interface Edge {
  /** Resolves to the port; 0 for a Unix socket. Rejects with the address in the message. */
  start(): Promise<number>;
  /** Applies to new connections. */
  renew(certificate: ServerCertificate): void;
  /** Ends the open streams that `recheck` refuses. Single calls that are under way are answered: they were allowed when they began. */
  endRefused(): void;
  /** Accepts no more connections and calls. Resolves when the open ones have ended. */
  drain(): Promise<void>;
  /** Ends open connections and calls. */
  close(): void;
}
