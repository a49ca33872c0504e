// Limits the connections of a server. At the limit, a new connection replaces the one that has been idle longest, so a
// slow or silent peer does not block others. A peer above its share loses its own connections, so it cannot push out
// others by opening many. If every connection is busy, the new one is refused.
import type { Server } from 'node:net';

export interface Connection {
  /** Closes at once, without waiting for the peer. */
  destroy(): unknown;
  readonly remoteAddress?: string | undefined;
  /** The part of an HTTP/2 session used here. */
  readonly socket?: { readonly remoteAddress?: string | undefined } | undefined;
}

/** One address. */
class Peer {
  open = 0;
  /** Connections without work, longest idle first. */
  readonly idle = new Set<Connection>();
}

/** As the server passes it. */
interface AcceptedConnection extends Connection {
  once(event: 'close', listener: () => void): unknown;
}

/** Below this share of the maximum, there is room again. */
const ROOM_SHARE = 0.9;
/** One peer's share of the maximum. */
const PEER_SHARE = 0.5;

export class ConnectionLimit {
  readonly max: number;
  readonly #onFull: (isFull: boolean) => void;
  /** Work in progress on each. */
  readonly #work = new Map<Connection, number>();
  /** Connections without work, longest idle first. */
  readonly #idle = new Set<Connection>();
  readonly #peers = new Map<string, Peer>();
  readonly #peerOf = new Map<Connection, string>();
  #isFull = false;

  /**
   * `onFull` is called once when connections are closed or refused for lack of room, and once when there is room again.
   */
  constructor(max: number, onFull: (isFull: boolean) => void = () => undefined) {
    this.max = max;
    this.#onFull = onFull;
  }

  /**
   * Counts the connections of a server. `event`: the event of a new connection. `burst`: connections above the limit
   * that may be accepted before the ones they displace are closed.
   */
  watch(server: Server, event: 'connection' | 'secureConnection' | 'session' | 'taken', burst: number): void {
    server.maxConnections = this.max + burst;
    server.on(event, (connection: AcceptedConnection) => {
      connection.once('close', () => this.closed(connection));
      this.opened(connection);
    });
    server.on('drop', () => this.refused());
    // Without a listener, a connection that cannot be accepted (no free file descriptor) would be an uncaught
    // exception. A server that cannot listen reports that elsewhere.
    server.on('error', () => server.listening && this.refused());
  }

  get open(): number {
    return this.#work.size;
  }

  /** Registers a new connection. If there are too many, destroys it or the one that has been idle longest. */
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

  /** Work on it has started: it is not closed before as many calls of `done`. */
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

  /** A connection could not be accepted, for any reason. */
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
