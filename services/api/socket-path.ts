// The path of a Unix socket, before it is listened on.
import { type Stats, lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { parseAddress } from '../grpc/listen.ts';

/** Removes a socket on which no process listens. Throws where the path is taken. Does nothing where `listen` is no path. */
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

/** What is no socket is not ours to remove. */
function kindOf(found: Stats): string {
  if (found.isSymbolicLink()) return 'a symbolic link';
  if (found.isDirectory()) return 'a folder';
  return found.isFile() ? 'a regular file' : 'something that is not a socket';
}

/** A process that was killed leaves its socket behind, and no other one can listen there until it is removed. */
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
