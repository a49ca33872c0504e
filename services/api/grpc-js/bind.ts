import * as grpc from '@grpc/grpc-js';
import { wantsGrpcLog } from '../../config/grpc-log.ts';
import type { ServerCertificate } from '../../grpc/secure-server.ts';
import { cannotListen, freeSocketPath } from '../socket-path.ts';

// We report why it cannot listen; grpc-js would print its own line before that.
if (!wantsGrpcLog()) grpc.setLogVerbosity(grpc.logVerbosity.NONE);

/** Resolves to the port. Rejects with the address in the message. */
export async function bind(
  server: grpc.Server,
  listen: string,
  certificate: ServerCertificate | undefined,
): Promise<number> {
  await freeSocketPath(listen);
  return new Promise((resolve, reject) => {
    server.bindAsync(listen, credentialsOf(certificate), (error, bound) =>
      // grpc-js lists the error of each address of the name.
      error ? reject(cannotListen(listen, error.message)) : resolve(bound),
    );
  });
}

function credentialsOf(certificate: ServerCertificate | undefined): grpc.ServerCredentials {
  if (certificate === undefined) return grpc.ServerCredentials.createInsecure();
  const { cert, key, clientCa } = certificate;
  const isMutual = clientCa !== undefined;
  return grpc.ServerCredentials.createSsl(clientCa ?? null, [{ cert_chain: cert, private_key: key }], isMutual);
}
