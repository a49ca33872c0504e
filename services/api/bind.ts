import { lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import * as grpc from '@grpc/grpc-js';

/** Resolves to the port. Rejects with the address in the message. */
export async function bind(server: grpc.Server, listen: string): Promise<number> {
  if (listen.startsWith('unix:')) await removeDeadSocket(listen.replace(/^unix:(\/\/)?/, ''));
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

/** A process that was killed leaves its socket behind, and no other one can listen there until it is removed. */
async function removeDeadSocket(path: string): Promise<void> {
  const isDead = await new Promise<boolean>((resolve) => {
    const probe = connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    // What is no socket is refused in the same way, but is not ours to remove.
    probe.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code === 'ECONNREFUSED' && lstatSync(path).isSocket()),
    );
  });
  if (isDead) unlinkSync(path);
}
