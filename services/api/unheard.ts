// Calls that end before their handler has the message: their errors and their metrics, the same on both edges.
import { RETRY_AFTER_MS, RouterError } from '../core/errors.ts';
import type { Observer } from '../core/observer.ts';
import { methodOf } from './unary.ts';

/** All open requests together may take this many times the size of the largest request. */
export const MAX_OPEN_MESSAGES = 16;

export function lateMessage(timeoutMs: number): RouterError {
  const message = `the request was not complete within ${timeoutMs} ms (setting request_timeout_ms); send it whole, and end it`;
  return new RouterError('DEADLINE_EXCEEDED', message);
}

export function noRoomForMessage(maxOpenBytes: number): RouterError {
  const message = `the requests that are arriving take more than ${maxOpenBytes} bytes; try again in ${RETRY_AFTER_MS.ROUTER_FULL} ms, with fewer large ones at once`;
  return new RouterError('ROUTER_FULL', message, { lack: 'MEMORY' });
}

export function messageTooLarge(maxBytes: number): RouterError {
  const message = `the message is larger than ${maxBytes} bytes (setting max_message_bytes); send less at once`;
  return new RouterError('MESSAGE_TOO_LARGE', message, { metadata: { max_message_bytes: String(maxBytes) } });
}

/** gRPC's specification (compression.md) asks for INTERNAL. */
export function flaggedAsCompressed(): RouterError {
  const message =
    'the message is flagged as compressed, but header grpc-encoding is missing; send it uncompressed, or name gzip or deflate';
  return new RouterError('COMPRESSED_FLAG', message);
}

/** `path`: of the method. */
export function countUnheard(observer: Observer, path: string, error: RouterError, sinceMs: number): void {
  observer.requestEnded(methodOf({ path }), error.kind, performance.now() - sinceMs, error.lack);
}
