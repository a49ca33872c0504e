// How much one connection may send that was not read yet. HTTP/2's default, 64 KiB, is some 20 of our requests: what a caller
// asks beyond that waits within its own library, where the router can neither see nor refuse it. grpc-js has no setting for
// it.
import type { Http2Server } from 'node:http2';

const WINDOW_BYTES = 1_048_576;

export function widenWindows(server: Http2Server): void {
  server.on('session', (session) => session.setLocalWindowSize(WINDOW_BYTES));
}
