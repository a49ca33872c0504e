// Whose a call is. grpc-js hands an interceptor's call on to the handler within an object of its own, and has no place in it for
// what an interceptor knows: so the call that both have in common is the key.
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
