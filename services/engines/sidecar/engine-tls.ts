// TLS to an engine. The files are read at each connection, so a renewal needs no restart.
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';

export interface EngineTlsFiles {
  /** PEM files. */
  readonly ca: string;
  /** Empty: the router presents no certificate. */
  readonly cert: string;
  readonly key: string;
  /** Name in the engine's certificate; empty: the host of its address. */
  readonly server_name: string;
}

/** Undefined: plaintext, also on a Unix socket. Throws the system's error if a file cannot be read. */
export function engineTls(files: EngineTlsFiles | undefined, address: string): ConnectionOptions | undefined {
  if (files === undefined || address.startsWith('unix:')) return undefined;
  const { ca, cert, key, server_name: name } = files;
  return {
    ca: readFileSync(ca),
    ...(cert !== '' && { cert: readFileSync(cert), key: readFileSync(key) }),
    ...(name !== '' && { servername: name }),
    minVersion: 'TLSv1.3',
  };
}
