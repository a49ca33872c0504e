// How many connections a server holds at once. When one more comes, the one that has done nothing for the longest makes room
// for it: a slow or silent peer keeps nobody out. Where every connection is at work, the new one is refused.
import type { Server } from 'node:net';

export interface Connection {
  /** At once, without waiting for the peer. */
  destroy(): unknown;
}

/** As a server hands it over. */
interface AcceptedConnection extends Connection {
  once(event: 'close', listener: () => void): unknown;
}

/** Below this part of the maximum there is room again. */
const ROOM_SHARE = 0.9;

export class ConnectionLimit {
  readonly max: number;
  readonly #onFull: (isFull: boolean) => void;
  /** Work under way on each. */
  readonly #work = new Map<Connection, number>();
  /** Those without work, the longest idle first. */
  readonly #idle = new Set<Connection>();
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
    if (this.#work.size >= this.max) {
      this.refused();
      const [oldest = connection] = this.#idle;
      this.#forget(oldest);
      oldest.destroy();
      if (oldest === connection) return;
    }
    this.#work.set(connection, 0);
    this.#idle.add(connection);
  }

  /** Work for it has begun: it is not closed before that many `done`. */
  working(connection: Connection): void {
    const work = this.#work.get(connection);
    if (work === undefined) return;
    this.#work.set(connection, work + 1);
    this.#idle.delete(connection);
  }

  done(connection: Connection): void {
    const work = this.#work.get(connection);
    if (work === undefined) return;
    this.#work.set(connection, work - 1);
    if (work === 1) this.#idle.add(connection);
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

  #forget(connection: Connection): boolean {
    this.#idle.delete(connection);
    return this.#work.delete(connection);
  }
}
