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

  /** `strangerAt`: the owner of a connection while none of its calls has one. */
  constructor(connection: Connection, strangerAt?: (socket: Socket) => CallOwner) {
    this.connection = connection;
    this.address = connection.socket.remoteAddress ?? '';
    this.#strangerAt = strangerAt;
  }

  /** Records a call of that owner. A connection that several owners share, as behind a proxy, is never slowed down. */
  calledBy(owner: CallOwner): void {
    if (owner === this.#owner) return;
    const { connection } = this;
    this.#isShared = this.#owner !== undefined;
    this.#owner = owner;
    connection.owner = owner;
    connection.pacer = this.#isShared ? undefined : owner;
  }

  /** Counts a call that no limit counts: it was refused, or it needs no caller. */
  unpaid(): void {
    if (this.#isShared) return;
    const { connection } = this;
    connection.pacer ??= this.#strangerAt?.(connection.socket);
    (connection.pacer as CallOwner | undefined)?.unpaid();
  }
}
