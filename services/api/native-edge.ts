// The edge over services/grpc and services/http2.
import type { Socket } from 'node:net';
import type { CallerAccount } from '../auth/caller-account.ts';
import { RouterError } from '../core/errors.ts';
import type { Unheard } from '../grpc/arrivals.ts';
import { type Listener, TAKEN, listen, takeOver } from '../grpc/listen.ts';
import type { Metadata } from '../grpc/metadata.ts';
import type { CallOwner, Method } from '../grpc/method.ts';
import type { ServerCertificate } from '../grpc/secure-server.ts';
import { GrpcServer } from '../grpc/server.ts';
import { Code, type Status } from '../grpc/status.ts';
import type { Edge, EdgeOptions } from './edge.ts';
import { cannotListen, freeSocketPath } from './socket-path.ts';
import { toStatus } from './status.ts';
import { MAX_OPEN_MESSAGES, flaggedAsCompressed, lateMessage, messageTooLarge, noRoomForMessage } from './unheard.ts';

/** Connections above the limit that may be accepted before the ones they displace are closed. */
const BURST = 64;

export class NativeEdge implements Edge {
  readonly #server: GrpcServer;
  readonly #options: EdgeOptions;
  #listener: Listener | undefined;

  constructor(methods: readonly Method[], options: EdgeOptions) {
    const { maxMessageBytes, maxStreamsPerConnection, connections } = options;
    this.#options = options;
    this.#server = new GrpcServer({
      methods,
      arrivals: {
        maxMessageBytes,
        maxOpenBytes: MAX_OPEN_MESSAGES * maxMessageBytes,
        // May change while the edge serves.
        get messageTimeoutMs() {
          return options.timeoutMs;
        },
      },
      authorize: options.authorize && ((...call) => this.#authorize(...call)),
      strangerAt: options.strangerAt,
      http2: { maxConcurrentStreams: maxStreamsPerConnection },
      onBusy: (socket) => connections.working(socket),
      onIdle: (socket) => connections.done(socket),
      onFault: (fault) => options.onConnectionFault(fault),
      onUnheard: (...about) => this.#tell(...about),
      onBug: (path, error) => options.onInternalError(path, RouterError.from(error)),
    });
  }

  async start(): Promise<number> {
    const { listen: address, connections, tls } = this.#options;
    await freeSocketPath(address);
    try {
      this.#listener = await listen(address, this.#server.accept, tls, takeOver);
    } catch (error) {
      throw cannotListen(address, (error as Error).message);
    }
    for (const server of this.#listener.servers) connections.watch(server, TAKEN, BURST);
    return this.#listener.port;
  }

  renew(certificate: ServerCertificate): void {
    this.#listener?.renew(certificate);
  }

  endRefused(): void {
    const { recheck } = this.#options;
    if (recheck === undefined) return;
    this.#server.endCalls((method, metadata, socket) => {
      if (!method.requestStream && !method.responseStream) return undefined;
      const error = recheck(method.path, metadata, socket);
      return error && toStatus(error);
    });
  }

  async drain(): Promise<void> {
    this.#listener?.close();
    await this.#server.drain();
  }

  close(): void {
    this.#listener?.close();
    this.#server.close();
  }

  #authorize(method: Method, metadata: Metadata, socket: Socket): Status | CallOwner | undefined {
    const found = this.#options.authorize?.(method.path, metadata, socket);
    if (!(found instanceof RouterError)) return found;
    this.#options.onUnheard(method.path, found, performance.now());
    return toStatus(found);
  }

  #tell(why: Unheard, status: Status, method: Method, sinceMs: number, owner: CallOwner | undefined): Status {
    const error = this.#toError(why, status, owner);
    if (error === undefined) return status;
    if (!method.requestStream) this.#options.onUnheard(method.path, error, sinceMs);
    return toStatus(error);
  }

  /** Undefined: the status is complete without details. */
  #toError(why: Unheard, { code, metadata }: Status, owner: CallOwner | undefined): RouterError | undefined {
    if (why === 'OWNER_FULL') return (owner as CallerAccount).tooManyBytes();
    if (why === 'LATE') return lateMessage(this.#options.timeoutMs);
    if (why === 'FULL') return noRoomForMessage(MAX_OPEN_MESSAGES * this.#options.maxMessageBytes);
    // A message that is too large has this code. A refusal of an inspector has its own reason.
    if (why === 'BAD' && code === Code.RESOURCE_EXHAUSTED && metadata === undefined)
      return messageTooLarge(this.#options.maxMessageBytes);
    return why === 'COMPRESSED_FLAG' ? flaggedAsCompressed() : undefined;
  }
}
