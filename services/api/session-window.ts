// How much one connection may send that was not read yet. HTTP/2's default, 64 KiB, is some 20 of our requests: what a caller
// asks beyond that waits within its own library, where the router can neither see nor refuse it. grpc-js has no setting for
// it, so this reaches for the servers that it keeps.
import type { Server } from '@grpc/grpc-js';
import type { Http2Server } from 'node:http2';

const WINDOW_BYTES = 1_048_576;

/** To be called when the server is bound. */
export function widenWindows(server: Server): void {
  const { http2Servers } = server as unknown as { readonly http2Servers: Map<Http2Server, unknown> };
  for (const each of http2Servers.keys()) {
    each.on('session', (session) => session.setLocalWindowSize(WINDOW_BYTES));
  }
}
