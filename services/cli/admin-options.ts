// The address and credentials of administrative calls.
import { lstatSync } from 'node:fs';
import { defaultAdminSocket } from '../config/admin-socket.ts';
import { isLoopbackAddress } from '../core/loopback.ts';
import type { CredentialOptions } from './credentials.ts';

export interface AdminOptions extends CredentialOptions {
  /** Undefined: the default socket for `address` if it exists, else `address`. */
  readonly admin?: string;
}

/**
 * A user with a token or a certificate calls with it. A Unix socket needs neither. `usual`: returns the default socket
 * of the router at an address.
 */
export function adminOptions<Options extends AdminOptions>(options: Options, usual = defaultAdminSocket): Options {
  const address = options.admin ?? socketOf(options, usual);
  if (address === undefined) return options;
  if (!address.startsWith('unix:')) return { ...options, address };
  return { ...options, address, ca: undefined, cert: undefined, key: undefined, token: undefined };
}

function socketOf({ address, token, cert }: CredentialOptions, usual: (address: string) => string): string | undefined {
  if (token !== undefined || cert !== undefined || !isLoopbackAddress(address)) return undefined;
  const socket = usual(address);
  return lstatSync(socket.slice('unix:'.length), { throwIfNoEntry: false })?.isSocket() ? socket : undefined;
}
