// Who may change things.
import { RouterError } from '../core/errors.ts';

export type AdminFrom = 'loopback' | 'anywhere' | 'nowhere';

interface Call {
  getPeer(): string;
}

/** Throws ADMIN_FORBIDDEN unless the caller is where setting `admin_from` says now; `listen` is where the router listens. */
export function adminGuard(adminFrom: () => AdminFrom, listen: string): (call: Call) => void {
  // Whoever reaches a Unix socket is on this machine. Its peers have no address, but neither has a caller that has just
  // left, so that a missing address proves nothing where the router listens on TCP.
  const isLocalSocket = listen.startsWith('unix:');
  return (call) => {
    const from = adminFrom();
    if (from === 'anywhere' || (from === 'loopback' && (isLocalSocket || isLoopback(call.getPeer())))) return;
    const message =
      from === 'nowhere'
        ? 'this router takes no administrative calls; see setting admin_from'
        : 'administrative calls are taken from the router’s own machine only; call from there, or see setting admin_from';
    throw new RouterError('ADMIN_FORBIDDEN', message, { metadata: { admin_from: from } });
  };
}

/** `peer` is "address:port". */
export function isLoopback(peer: string): boolean {
  const address = peer.slice(0, peer.lastIndexOf(':'));
  return address === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(address);
}
