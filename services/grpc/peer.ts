import type { Connection } from '../http2/index.ts';

/** One connection of a server. */
export class Peer {
  readonly connection: Connection;
  /** IP address; empty: it has none. */
  readonly address: string;
  /** Calls that are open. */
  calls = 0;

  constructor(connection: Connection) {
    this.connection = connection;
    this.address = connection.socket.remoteAddress ?? '';
  }
}
