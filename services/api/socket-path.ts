// Prepares the path of a Unix socket before listening.
import { type Stats, lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { parseAddress } from '../grpc/listen.ts';

/**
 * Removes a socket on which no process listens. Throws if the path is in use. Does nothing if `listen` is not a path.
 */
export async function freeSocketPath(listen: string): Promise<void> {
  const { path } = parseAddress(listen);
  if (path === undefined) return;
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found !== undefined && !found.isSocket()) {
    throw new Error(`cannot listen on ${listen}: ${kindOf(found)} is there; remove it, or choose another path`);
  }
  await removeDeadSocket(path);
}

/** `message`: of the system or a library. */
export function cannotListen(listen: string, message: string): Error {
  const isTaken = message.includes('EADDRINUSE');
  const why = isTaken ? 'something else listens there; stop it, or choose another address' : message;
  return new Error(`cannot listen on ${listen}: ${why}`);
}

/** Only sockets are removed. */
function kindOf(found: Stats): string {
  if (found.isSymbolicLink()) return 'a symbolic link';
  if (found.isDirectory()) return 'a folder';
  return found.isFile() ? 'a regular file' : 'something that is not a socket';
}

/** A killed process leaves its socket behind, and no other process can listen there until it is removed. */
async function removeDeadSocket(path: string): Promise<void> {
  const isDead = await new Promise<boolean>((resolve) => {
    const probe = connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'));
  });
  if (isDead) unlinkSync(path);
}
