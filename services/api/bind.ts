import { type Stats, lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { wantsGrpcLog } from '../config/grpc-log.ts';

// What keeps it from listening is said once, by us; grpc-js would print a line of its own before that.
if (!wantsGrpcLog()) grpc.setLogVerbosity(grpc.logVerbosity.NONE);

/** Resolves to the port. Rejects with the address in the message. */
export async function bind(server: grpc.Server, listen: string): Promise<number> {
  if (listen.startsWith('unix:')) {
    const path = listen.replace(/^unix:(\/\/)?/, '');
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found !== undefined && !found.isSocket()) {
      throw new Error(`cannot listen on ${listen}: ${kindOf(found)} is there; remove it, or choose another path`);
    }
    await removeDeadSocket(path);
  }
  return new Promise((resolve, reject) => {
    server.bindAsync(listen, grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(new Error(`cannot listen on ${listen}: ${whyNot(error.message)}`)) : resolve(bound),
    );
  });
}

/** grpc-js lists what every address of the name ended with. */
function whyNot(message: string): string {
  return message.includes('EADDRINUSE') ? 'something else listens there; stop it, or choose another address' : message;
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
