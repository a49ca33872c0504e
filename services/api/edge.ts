// Where calls come in. There are two edges that serve the same methods: our own, over services/grpc, and grpc-js.
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
  /** Called before a call's message has come. Returns the error that refuses the call, else its caller. */
  readonly authorize?: (path: string, metadata: Metadata, socket: Socket) => RouterError | CallerAccount | undefined;
  /** Whether a stream that is open may go on: asked after `auth` has changed. Returns the error that ends it. */
  readonly recheck?: (path: string, metadata: Metadata, socket: Socket) => RouterError | undefined;
  /** For a request to be whole, milliseconds. May change while it serves. */
  readonly timeoutMs: number;
  /** Hears of calls that ended before their handler had its message. A stream's handler counts it by itself. */
  readonly onUnheard: (path: string, error: RouterError, sinceMs: number) => void;
  readonly onInternalError: (path: string, error: RouterError) => void;
  /** A connection ended by a fault. Only our own edge knows. */
  readonly onConnectionFault: (fault: ConnectionFault) => void;
}

export interface Edge {
  /** Resolves to the port; 0 for a Unix socket. Rejects with the address in the message. */
  start(): Promise<number>;
  /** For connections that come from now on. */
  renew(certificate: ServerCertificate): void;
  /** Ends the open streams that `recheck` refuses. Single calls that are under way are answered: they were allowed when they began. */
  endRefused(): void;
  /** Takes no more connections and calls, and resolves when those that are open have ended. */
  drain(): Promise<void>;
  /** Ends what is open. */
  close(): void;
}
