import * as grpc from '@grpc/grpc-js';
import { wantsGrpcLog } from '../../config/grpc-log.ts';
import { cannotListen, freeSocketPath } from '../socket-path.ts';

// What keeps it from listening is said once, by us; grpc-js would print a line of its own before that.
if (!wantsGrpcLog()) grpc.setLogVerbosity(grpc.logVerbosity.NONE);

/** Resolves to the port. Rejects with the address in the message. */
export async function bind(server: grpc.Server, listen: string): Promise<number> {
  await freeSocketPath(listen);
  return new Promise((resolve, reject) => {
    server.bindAsync(listen, grpc.ServerCredentials.createInsecure(), (error, bound) =>
      // grpc-js lists what every address of the name ended with.
      error ? reject(cannotListen(listen, error.message)) : resolve(bound),
    );
  });
}
