// Who may change things.
import { RouterError } from '../core/errors.ts';
import { isLoopbackHost } from '../core/loopback.ts';

export type AdminFrom = 'loopback' | 'anywhere' | 'nowhere';

interface Call {
  /** IP address. */
  readonly peer: string;
}

/** Throws ADMIN_FORBIDDEN where the caller may change nothing. */
export type Guard = (call: Call) => void;

/** Throws ADMIN_FORBIDDEN unless the caller is where setting `admin_from` says now; `listen` is where the router listens. */
export function adminGuard(adminFrom: () => AdminFrom, listen: string): Guard {
  // Whoever reaches a Unix socket is on this machine. Its peers have no address, but neither has a caller that has just
  // left, so that a missing address proves nothing where the router listens on TCP.
  const isLocalSocket = listen.startsWith('unix:');
  return (call) => {
    const from = adminFrom();
    if (from === 'anywhere' || (from === 'loopback' && (isLocalSocket || isLoopbackHost(call.peer)))) return;
    const message =
      from === 'nowhere'
        ? 'this router takes no administrative calls; see setting admin_from'
        : 'administrative calls are taken from the router’s own machine only; call from there, or see setting admin_from';
    throw new RouterError('ADMIN_FORBIDDEN', message, { metadata: { admin_from: from } });
  };
}
