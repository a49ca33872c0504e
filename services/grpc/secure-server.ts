// A TLS server for gRPC: TLS 1.3, HTTP/2 by ALPN, and a limit on connections with unfinished handshakes.
import type { Socket } from 'node:net';
import { type Server, type TLSSocket, type TlsOptions, createServer } from 'node:tls';

export interface ServerCertificate {
  /** PEM. */
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Callers must present a certificate signed by it. Undefined: no certificate is required. */
  readonly clientCa: Buffer | undefined;
}

/** `peer`: IP address. */
export type HandshakeFailed = (why: string, peer: string) => void;

/** Time limit of a handshake, milliseconds. */
const HANDSHAKE_TIMEOUT_MS = 5_000;
/** Maximum concurrent handshakes; above that, the oldest is aborted. */
const MAX_HANDSHAKES = 256;

export class SecureServer {
  readonly server: Server;
  /** Connections with unfinished handshakes, by the peer's address and port, oldest first. */
  readonly #handshakes = new Map<string, Socket>();

  constructor(certificate: ServerCertificate, onSocket: (socket: Socket) => void, onFailed: HandshakeFailed) {
    this.server = createServer({
      ...tlsOptions(certificate),
      ...{ noDelay: true, ALPNProtocols: ['h2'], handshakeTimeout: HANDSHAKE_TIMEOUT_MS },
    });
    this.server.on('connection', (socket: Socket) => this.#began(socket));
    this.server.on('secureConnection', (socket) => {
      this.#handshakes.delete(nameOf(socket));
      onSocket(socket);
    });
    this.server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      onFailed(reasonOf(error, socket), socket.remoteAddress ?? '');
      socket.destroy();
    });
  }

  renew(certificate: ServerCertificate): void {
    this.server.setSecureContext(tlsOptions(certificate));
  }

  #began(socket: Socket): void {
    const name = nameOf(socket);
    if (this.#handshakes.size >= MAX_HANDSHAKES) {
      const [oldest] = this.#handshakes.values();
      oldest?.destroy();
    }
    this.#handshakes.set(name, socket);
    socket.once('close', () => {
      if (this.#handshakes.get(name) === socket) this.#handshakes.delete(name);
    });
  }
}

export function tlsOptions({ cert, key, clientCa }: ServerCertificate): TlsOptions {
  const isMutual = clientCa !== undefined;
  return { cert, key, ca: clientCa, requestCert: isMutual, rejectUnauthorized: isMutual, minVersion: 'TLSv1.3' };
}

function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/**
 * The fault of the peer's certificate, such as "CERT_HAS_EXPIRED", for which Node.js just closes the connection; or else
 * OpenSSL's short text, if there is one.
 */
export function reasonOf(error: Error, { authorizationError }: Pick<TLSSocket, 'authorizationError'>): string {
  const { reason, code } = error as Error & { readonly reason?: string; readonly code?: string };
  // Node.js's types say Error, but the value is the code.
  return (authorizationError as unknown as string | null | undefined) ?? reason ?? code ?? error.message;
}
