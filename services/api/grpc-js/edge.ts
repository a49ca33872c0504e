// The edge over grpc-js. All workarounds for missing settings of grpc-js are in this folder.
import * as grpc from '@grpc/grpc-js';
import type { Method } from '../../grpc/method.ts';
import type { ServerCertificate } from '../../grpc/secure-server.ts';
import type { Edge, EdgeOptions } from '../edge.ts';
import { bind } from './bind.ts';
import { addMethods } from './call.ts';
import {
  watchHandshakes,
  http2ServersOf,
  limitConnections,
  renewCertificate,
  setServerOptions,
} from './http2-servers.ts';
import { Intake } from './intake.ts';
import { widenWindows } from './session-window.ts';
import { steadyDeadline } from './steady-deadline.ts';

const KEEPALIVE_MS = 60_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;

export class GrpcJsEdge implements Edge {
  readonly #server: grpc.Server;
  readonly #intake: Intake;
  readonly #options: EdgeOptions;

  constructor(methods: readonly Method[], options: EdgeOptions) {
    this.#options = options;
    this.#intake = new Intake(methods, options);
    this.#server = new grpc.Server({
      interceptors: [steadyDeadline, this.#intake.interceptor],
      'grpc.max_receive_message_length': options.maxMessageBytes,
      'grpc.max_concurrent_streams': options.maxStreamsPerConnection,
      'grpc.enable_channelz': 0,
      // Keepalive frees the file descriptor of a peer that vanished without closing.
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    });
    addMethods(this.#server, methods);
  }

  async start(): Promise<number> {
    setServerOptions(this.#server);
    const port = await bind(this.#server, this.#options.listen, this.#options.tls?.certificate);
    for (const each of http2ServersOf(this.#server)) {
      limitConnections(each, this.#options.connections);
      widenWindows(each);
      this.#intake.listen(each);
      watchHandshakes(each, this.#options.tls);
    }
    return port;
  }

  renew(certificate: ServerCertificate): void {
    for (const each of http2ServersOf(this.#server)) renewCertificate(each, certificate);
  }

  endRefused(): void {
    this.#intake.endRefused();
  }

  async drain(): Promise<void> {
    this.#intake.stop();
    await new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
  }

  /** grpc-js tracks connections only with channelz on, so this ends none: the rest ends with the process. */
  close(): void {
    this.#intake.stop();
    this.#server.forceShutdown();
  }
}
