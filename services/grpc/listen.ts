// Listens on "host:port" or "unix:PATH". For a name with several addresses, listens on all of them at one port.
import { lookup } from 'node:dns/promises';
import { type ListenOptions, type Server, type Socket, createServer } from 'node:net';
import { type HandshakeFailed, SecureServer, type ServerCertificate } from './secure-server.ts';

export { takeOver } from '../http2/index.ts';

/** Some addresses of a name may not exist on this machine, such as ::1 without IPv6. */
const NOT_HERE = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT']);

/** Event of a server: a new connection. Of TLS: its handshake has ended; of plaintext: as `take` returned it. */
export const TAKEN = 'taken';

export interface Listener {
  /** 0 for a Unix socket. */
  readonly port: number;
  readonly servers: readonly Server[];
  /** Accepts no more connections; open ones stay. */
  close(): void;
  /** Applies to new connections. Does nothing if no certificate was given at the start. */
  renew(certificate: ServerCertificate): void;
}

export interface ListenTls {
  readonly certificate: ServerCertificate;
  readonly onHandshakeFailed: HandshakeFailed;
}

/**
 * `tls` undefined: plaintext. `take` may replace a plaintext socket, at once. Rejects with the system's error.
 */
export async function listen(
  address: string,
  onSocket: (socket: Socket) => void,
  tls?: ListenTls,
  take: (socket: Socket) => Socket = (socket) => socket,
): Promise<Listener> {
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
  const secure = ({ certificate, onHandshakeFailed }: ListenTls, tell: (socket: Socket) => void): Server => {
    const each = new SecureServer(certificate, tell, onHandshakeFailed);
    secured.push(each);
    return each.server;
  };
  const create = (): Server => {
    const tell = (socket: Socket): void => void server.emit(TAKEN, socket);
    const server =
      tls === undefined ? createServer({ noDelay: true }, (socket) => tell(take(socket))) : secure(tls, tell);
    return server.on(TAKEN, onSocket);
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
  /** Path of a Unix socket. */
  readonly path?: string;
  readonly host?: string;
  readonly port?: number;
}

/** "host:port", "[::1]:port", "unix:PATH" or "unix://PATH". Throws TypeError for anything else. */
export function parseAddress(address: string): Address {
  if (address.startsWith('unix:')) return { path: address.replace(/^unix:(\/\/)?/, '') };
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|(.*)):(\d{1,5})$/.exec(address) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) throw new TypeError(`address "${address}" must be "host:port" or "unix:PATH"`);
  return { host, port: Number(port) };
}
