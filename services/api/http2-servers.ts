// The HTTP/2 servers beneath a gRPC server. grpc-js offers no way to count or refuse connections, so this one file reaches
// for the servers that it keeps; the rest is Node's public interface.
import type { Server } from '@grpc/grpc-js';
import type { Http2Server, ServerHttp2Session } from 'node:http2';
import type { ConnectionLimit } from '../core/connection-limit.ts';

/** Connections that may be accepted before those they displace are closed. */
const BURST = 64;

/** To be called when the server is bound. */
export function http2ServersOf(server: Server): readonly Http2Server[] {
  const { http2Servers } = server as unknown as { readonly http2Servers?: unknown };
  if (http2Servers instanceof Map) return [...(http2Servers as Map<Http2Server, unknown>).keys()];
  throw new Error(
    'this version of @grpc/grpc-js keeps its HTTP/2 servers elsewhere; adapt services/api/http2-servers.ts',
  );
}

/** A connection is at work while a call on it is open. */
export function limitConnections(server: Http2Server, limit: ConnectionLimit): void {
  server.maxConnections = limit.max + BURST;
  server.on('drop', () => limit.refused());
  // Unheard, a connection that cannot be accepted (no file descriptor is left) would be an uncaught exception.
  server.on('error', () => limit.refused());
  server.on('session', (session: ServerHttp2Session) => {
    session.once('close', () => limit.closed(session));
    limit.opened(session);
  });
  server.on('stream', (stream) => {
    const { session } = stream;
    if (session === undefined) return;
    limit.working(session);
    stream.once('close', () => limit.done(session));
  });
}
