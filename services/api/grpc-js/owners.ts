// Remembers the caller of each call. grpc-js wraps an interceptor's call in its own object for the handler, and that
// object has no field for the interceptor's data. So the inner call, which both have, is the key.
import type { CallOwner } from '../../grpc/method.ts';

const owners = new WeakMap<object, CallOwner>();

/** `call`: as interceptors have it. */
export function setOwner(call: object, owner: CallOwner): void {
  owners.set(call, owner);
}

/** `call`: as handlers have it. */
export function ownerOf(call: object): CallOwner | undefined {
  const { call: inner } = call as { readonly call?: object };
  return inner === undefined ? undefined : owners.get(inner);
}
