import * as grpc from '@grpc/grpc-js';

/** Resolves to the port. Rejects with the address in the message. */
export async function bind(server: grpc.Server, listen: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(listen, grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(new Error(`cannot listen on ${listen}: ${error.message}`)) : resolve(bound),
    );
  });
}
