// How a command reaches the router: in plaintext, or over TLS with the files that the user names.
import { readFileSync } from 'node:fs';
import * as grpc from '@grpc/grpc-js';
import { UsageError } from './usage-error.ts';

export interface TlsFiles {
  /** PEM file of the CAs to trust. Undefined: plaintext. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Throws UsageError where the files cannot be used. */
export function credentialsOf({ ca, cert, key }: TlsFiles): grpc.ChannelCredentials {
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError('--cert and --key go together; give both, or neither');
  }
  if (ca === undefined) {
    if (cert !== undefined) throw new UsageError('--cert needs --ca: a certificate is sent over TLS only');
    return grpc.credentials.createInsecure();
  }
  try {
    return grpc.credentials.createSsl(
      readFileSync(ca),
      key ? readFileSync(key) : null,
      cert ? readFileSync(cert) : null,
    );
  } catch (error) {
    throw new UsageError(`the TLS files cannot be used: ${(error as Error).message}`);
  }
}
