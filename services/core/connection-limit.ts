// How many connections a server holds at once. When one more comes, the one that has done nothing for the longest makes room
// for it: a slow or silent peer keeps no other peer out. A peer that has more than its share makes room itself, so that it cannot push
// out others by opening connections again and again. Where every connection is at work, the new one is refused.
import type { Server } from 'node:net';

export interface Connection {
  /** At once, without waiting for the peer. */
  destroy(): unknown;
  readonly remoteAddress?: string | undefined;
  /** Of an HTTP/2 session. */
  readonly socket?: { readonly remoteAddress?: string | undefined } | undefined;
}

/** One address. */
class Peer {
  open = 0;
  /** Those without work, the longest idle first. */
  readonly idle = new Set<Connection>();
}

/** As a server hands it over. */
interface AcceptedConnection extends Connection {
  once(event: 'close', listener: () => void): unknown;
}

/** Below this part of the maximum there is room again. */
const ROOM_SHARE = 0.9;
/** Of the maximum, one peer's part. */
const PEER_SHARE = 0.5;

export class ConnectionLimit {
  readonly max: number;
  readonly #onFull: (isFull: boolean) => void;
  /** Work under way on each. */
  readonly #work = new Map<Connection, number>();
  /** Those without work, the longest idle first. */
  readonly #idle = new Set<Connection>();
  readonly #peers = new Map<string, Peer>();
  readonly #peerOf = new Map<Connection, string>();
  #isFull = false;

  /** `onFull` hears once when connections are closed or refused for want of room, and once when there is room again. */
  constructor(max: number, onFull: (isFull: boolean) => void = () => undefined) {
    this.max = max;
    this.#onFull = onFull;
  }

  /**
   * Counts what a server accepts. `event`: with which it tells of a connection. `burst`: connections that it may accept
   * before those they displace are closed.
   */
  watch(server: Server, event: 'connection' | 'secureConnection' | 'session', burst: number): void {
    server.maxConnections = this.max + burst;
    server.on(event, (connection: AcceptedConnection) => {
      connection.once('close', () => this.closed(connection));
      this.opened(connection);
    });
    server.on('drop', () => this.refused());
    // Unheard, a connection that cannot be accepted (no file descriptor is left) would be an uncaught exception.
    // A server that cannot listen says so by itself.
    server.on('error', () => server.listening && this.refused());
  }

  get open(): number {
    return this.#work.size;
  }

  /** Of a new connection. Destroys it, or the one that has been idle for the longest, where there are too many. */
  opened(connection: Connection): void {
    const address = connection.remoteAddress ?? connection.socket?.remoteAddress ?? '';
    if (this.#work.size >= this.max) {
      this.refused();
      const own = this.#peers.get(address);
      const isGreedy = own !== undefined && own.open > this.max * PEER_SHARE;
      const [oldest = connection] = isGreedy ? own.idle : this.#idle;
      this.#forget(oldest);
      oldest.destroy();
      if (oldest === connection) return;
    }
    let peer = this.#peers.get(address);
    if (peer === undefined) this.#peers.set(address, (peer = new Peer()));
    peer.open += 1;
    peer.idle.add(connection);
    this.#peerOf.set(connection, address);
    this.#work.set(connection, 0);
    this.#idle.add(connection);
  }

  /** Work for it has begun: it is not closed before that many `done`. */
  working(connection: Connection): void {
    const work = this.#work.get(connection);
    if (work === undefined) return;
    this.#work.set(connection, work + 1);
    if (work > 0) return;
    this.#idle.delete(connection);
    this.#peer(connection)?.idle.delete(connection);
  }

  done(connection: Connection): void {
    const work = this.#work.get(connection);
    if (work === undefined) return;
    this.#work.set(connection, work - 1);
    if (work > 1) return;
    this.#idle.add(connection);
    this.#peer(connection)?.idle.add(connection);
  }

  closed(connection: Connection): void {
    if (!this.#forget(connection)) return; // closed here
    if (!this.#isFull || this.#work.size > this.max * ROOM_SHARE) return;
    this.#isFull = false;
    this.#onFull(false);
  }

  /** A connection could not be taken, for whatever reason. */
  refused(): void {
    if (this.#isFull) return;
    this.#isFull = true;
    this.#onFull(true);
  }

  #peer(connection: Connection): Peer | undefined {
    return this.#peers.get(this.#peerOf.get(connection) ?? '');
  }

  #forget(connection: Connection): boolean {
    this.#idle.delete(connection);
    const peer = this.#peer(connection);
    if (peer !== undefined && this.#work.has(connection)) {
      peer.open -= 1;
      peer.idle.delete(connection);
      if (peer.open === 0) this.#peers.delete(this.#peerOf.get(connection) ?? '');
    }
    this.#peerOf.delete(connection);
    return this.#work.delete(connection);
  }
}
