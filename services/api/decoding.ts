// Decodes a request, or returns the error for its caller. The content is counted before decoding: 4 MB of empty fields
// would become two million objects, and other callers would wait for that.
import { RouterError } from '../core/errors.ts';
import { BeyondLimit } from '../core/wire-scan.ts';
import type { Rpc } from './methods.ts';
import type { Check } from './request-limits.ts';

type Decode<Request> = (bytes: Buffer) => Request;

/**
 * Wraps a service so that its handlers get a RouterError in place of a request that exceeds its limits or cannot be
 * decoded; gRPC itself would answer INTERNAL. Every service of the public API is wrapped. `checks`: one for each
 * method's request.
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

/** Throws the error of `check`. */
export function checking<Request>(check: Check, decode: Decode<Request>): Decode<Request> {
  return (bytes) => {
    check(bytes);
    return decode(bytes);
  };
}

/** Returns the error of a decoder as the caller's fault. */
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
