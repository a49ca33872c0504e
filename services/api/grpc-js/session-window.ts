// Sets the flow-control window of a connection. HTTP/2's default, 64 KiB, holds some 20 of our requests: more requests
// wait in the caller's library, where the router can neither see nor refuse them. grpc-js has no setting for it.
import type { Http2Server } from 'node:http2';

const WINDOW_BYTES = 1_048_576;

export function widenWindows(server: Http2Server): void {
  server.on('session', (session) => session.setLocalWindowSize(WINDOW_BYTES));
}
