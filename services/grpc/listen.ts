// Listening on "host:port" or "unix:PATH". A name may have several addresses: all of them are listened on, at one port.
import { lookup } from 'node:dns/promises';
import { type ListenOptions, type Server, type Socket, createServer } from 'node:net';
import { type HandshakeFailed, SecureServer, type ServerCertificate } from './secure-server.ts';

/** Of a name's several addresses some may be none of this machine's, such as ::1 where there is no IPv6. */
const NOT_HERE = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT']);

export interface Listener {
  /** 0 for a Unix socket. */
  readonly port: number;
  readonly servers: readonly Server[];
  /** Takes no more connections; those that are open stay. */
  close(): void;
  /** For connections that come from now on. Does nothing where no certificate was given at the start. */
  renew(certificate: ServerCertificate): void;
}

export interface ListenTls {
  readonly certificate: ServerCertificate;
  readonly onHandshakeFailed: HandshakeFailed;
}

/** `tls`: undefined: plaintext. Rejects with the system's error. */
export async function listen(address: string, onSocket: (socket: Socket) => void, tls?: ListenTls): Promise<Listener> {
  const servers: Server[] = [];
  const secured: SecureServer[] = [];
  const close = (): void => servers.forEach((server) => server.close());
  const open = async (options: ListenOptions): Promise<number> => {
    const server = create();
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(options, resolve));
    servers.push(server);
    const bound = server.address();
    return bound === null || typeof bound === 'string' ? 0 : bound.port;
  };
  const create = (): Server => {
    if (tls === undefined) return createServer({ noDelay: true }, onSocket);
    const secure = new SecureServer(tls.certificate, onSocket, tls.onHandshakeFailed);
    secured.push(secure);
    return secure.server;
  };
  const renew = (certificate: ServerCertificate): void => secured.forEach((each) => each.renew(certificate));
  const { path, host = '', port: wanted = 0 } = parseAddress(address);
  if (path !== undefined) return { port: await open({ path }), servers, close, renew };
  let port = wanted;
  let missing: unknown;
  for (const { address } of await lookup(host, { all: true })) {
    try {
      port = await open({ host: address, port });
    } catch (error) {
      missing = error;
      if (NOT_HERE.has((error as NodeJS.ErrnoException).code ?? '')) continue;
      close();
      throw error;
    }
  }
  if (servers.length === 0) throw missing;
  return { port, servers, close, renew };
}

export interface Address {
  /** Of a Unix socket. */
  readonly path?: string;
  readonly host?: string;
  readonly port?: number;
}

/** "host:port", "[::1]:port", "unix:PATH" or "unix://PATH". Throws TypeError for what is none of these. */
export function parseAddress(address: string): Address {
  if (address.startsWith('unix:')) return { path: address.replace(/^unix:(\/\/)?/, '') };
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|(.*)):(\d{1,5})$/.exec(address) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) throw new TypeError(`address "${address}" must be "host:port" or "unix:PATH"`);
  return { host, port: Number(port) };
}
