// The HTTP/2 servers beneath a gRPC server. grpc-js has no way to count or refuse connections, or to set how many calls
// may be reset, so this file accesses its private servers; everything else is Node's public interface.
import type { Server } from '@grpc/grpc-js';
import type { Http2SecureServer, Http2Server } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { ConnectionLimit } from '../../core/connection-limit.ts';
import type { ListenTls } from '../../grpc/listen.ts';
import { type ServerCertificate, reasonOf, tlsOptions } from '../../grpc/secure-server.ts';

/** Connections above the limit that may be accepted before the ones they displace are closed. */
const BURST = 64;
const ELSEWHERE = 'elsewhere; adapt services/api/http2-servers.ts';

/**
 * A caller resets a call whose deadline passes. By default Node closes a connection after 1,000 resets plus 33 a
 * second, and all its other calls fail: an outage of a few seconds is enough for that. These values allow 500 time-outs
 * a second without limit, and still close the connection of a caller that resets calls as fast as it can
 * (CVE-2023-44487).
 */
const OPTIONS = { streamResetBurst: 5_000, streamResetRate: 500, minVersion: 'TLSv1.3' };

/** Call before the server is bound. */
export function setServerOptions(server: Server): void {
  const { commonServerOptions } = server as unknown as { readonly commonServerOptions?: object };
  if (commonServerOptions === undefined)
    throw new Error(`this version of @grpc/grpc-js keeps its options ${ELSEWHERE}`);
  Object.assign(commonServerOptions, OPTIONS);
}

/** Call after the server is bound. */
export function http2ServersOf(server: Server): readonly Http2Server[] {
  const { http2Servers } = server as unknown as { readonly http2Servers?: unknown };
  if (http2Servers instanceof Map) return [...(http2Servers as Map<Http2Server, unknown>).keys()];
  throw new Error(`this version of @grpc/grpc-js keeps its HTTP/2 servers ${ELSEWHERE}`);
}

/** A connection is busy while a call on it is open. */
export function limitConnections(server: Http2Server, limit: ConnectionLimit): void {
  limit.watch(server, 'session', BURST);
  server.on('stream', (stream) => {
    const { session } = stream;
    if (session === undefined) return;
    limit.working(session);
    stream.once('close', () => limit.done(session));
  });
}

export function watchHandshakes(server: Http2Server, tls: ListenTls | undefined): void {
  if (tls === undefined) return;
  (server as unknown as Http2SecureServer).on('tlsClientError', (error: Error, socket: TLSSocket) => {
    tls.onHandshakeFailed(reasonOf(error, socket), socket.remoteAddress ?? '');
  });
}

export function renewCertificate(server: Http2Server, certificate: ServerCertificate): void {
  if ('setSecureContext' in server) (server as unknown as Http2SecureServer).setSecureContext(tlsOptions(certificate));
}
