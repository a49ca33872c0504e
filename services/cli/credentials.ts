// How a command connects to the router: in plaintext, or over TLS with the user's files.
import { readFileSync } from 'node:fs';
import * as grpc from '@grpc/grpc-js';
import { isLoopbackAddress } from '../core/loopback.ts';
import { UsageError } from './usage-error.ts';

export interface CredentialOptions {
  /** PEM file of the CAs to trust. Undefined: plaintext. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Bearer token. */
  readonly token?: string | undefined;
  readonly address: string;
}

/** Throws UsageError if the files cannot be used. */
export function credentialsOf({ ca, cert, key, token, address }: CredentialOptions): grpc.ChannelCredentials {
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError('--cert and --key go together; give both, or neither');
  }
  if (ca === undefined) {
    if (cert !== undefined) throw new UsageError('--cert needs --ca: a certificate is sent over TLS only');
    if (token !== undefined && !isLoopbackAddress(address)) {
      throw new UsageError('--token needs --ca: a token is sent over TLS, or to this machine, only');
    }
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

/** Call credentials that send the token with every call. */
export function interceptorsOf({ token }: Pick<CredentialOptions, 'token'>): grpc.Interceptor[] {
  if (token === undefined) return [];
  const start: grpc.Requester['start'] = (metadata, listener, next) => {
    metadata.set('authorization', `Bearer ${token}`);
    next(metadata, listener);
  };
  return [(options, nextCall) => new grpc.InterceptingCall(nextCall(options), { start })];
}
