// From bytes to a request, or to the error that its caller gets. What a request may hold is counted in its bytes before it is
// decoded: 4 MB of empty fields cost a decoder two million objects, and every other caller the time for them.
import { RouterError } from '../core/errors.ts';
import { BeyondLimit } from '../core/wire-scan.ts';
import type { Rpc } from './methods.ts';
import type { Check } from './request-limits.ts';

type Decode<Request> = (bytes: Buffer) => Request;

/**
 * A service whose handlers get a RouterError in place of a request that is beyond its limits, or no message of its type:
 * gRPC itself would answer INTERNAL. Every service of the public API is one. `checks`: of each method's request.
 */
export function decoding<Names extends string>(
  service: Readonly<Record<Names, Rpc>>,
  checks: Readonly<Record<Names, Check>>,
): Record<Names, Rpc> {
  const decoded = (Object.keys(service) as Names[]).map((name) => {
    const rpc = service[name];
    return [name, { ...rpc, requestDeserialize: refusing(checking(checks[name], rpc.requestDeserialize)) }] as const;
  });
  return Object.fromEntries(decoded) as Record<Names, Rpc>;
}

/** Throws what `check` throws. */
export function checking<Request>(check: Check, decode: Decode<Request>): Decode<Request> {
  return (bytes) => {
    check(bytes);
    return decode(bytes);
  };
}

/** Returns the error that a decoder throws, as its caller's own. */
export function refusing<Request>(decode: Decode<Request>): Decode<Request | RouterError> {
  return (bytes) => {
    try {
      return decode(bytes);
    } catch (cause) {
      return undecodable(cause);
    }
  };
}

/** `cause`: what a decoder threw. */
export function undecodable(cause: unknown): RouterError {
  if (cause instanceof RouterError) return cause;
  if (cause instanceof BeyondLimit) {
    const { message, limit } = cause;
    return new RouterError('INVALID_FIELD', `the request has ${message}; send less`, {
      field: limit?.name ?? '',
      cause,
    });
  }
  const message = 'the request is not a valid protobuf message of its type; check the client’s proto files';
  return new RouterError('INVALID_FIELD', message, { cause });
}
