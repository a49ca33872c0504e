import type { Socket } from 'node:net';
import type { Connection } from '../http2/index.ts';
import type { CallOwner } from './method.ts';

/** One connection of a server. */
export class Peer {
  readonly connection: Connection;
  /** IP address; empty: it has none. */
  readonly address: string;
  /** Calls that are open. */
  calls = 0;
  readonly #strangerAt: ((socket: Socket) => CallOwner) | undefined;
  #owner: CallOwner | undefined = undefined;
  #isShared = false;

  /** `strangerAt`: whose it is as long as none of its calls has an owner. */
  constructor(connection: Connection, strangerAt?: (socket: Socket) => CallOwner) {
    this.connection = connection;
    this.address = connection.socket.remoteAddress ?? '';
    this.#strangerAt = strangerAt;
  }

  /** It has a call of that owner. Where several share a connection, as behind a proxy, none of them slows it down for the others. */
  calledBy(owner: CallOwner): void {
    if (owner === this.#owner) return;
    const { connection } = this;
    this.#isShared = this.#owner !== undefined;
    this.#owner = owner;
    connection.owner = owner;
    connection.pacer = this.#isShared ? undefined : owner;
  }

  /** It has a call that counts nowhere else: it was refused, or anybody may make it. */
  unpaid(): void {
    if (this.#isShared) return;
    const { connection } = this;
    connection.pacer ??= this.#strangerAt?.(connection.socket);
    (connection.pacer as CallOwner | undefined)?.unpaid();
  }
}
