// Bounds the bytes of request bodies that are in memory: of all peers together, and of one peer.

/** One peer's share of the maximum. */
const PEER_SHARE = 0.5;

export class BodyRoom {
  readonly #mostBytes: number;
  readonly #peers = new Map<string, number>();
  #bytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** Returns false if there is no room for these bytes of this peer. Else `leave` must be called with them. */
  enter(peer: string, bytes: number): boolean {
    const own = (this.#peers.get(peer) ?? 0) + bytes;
    if (this.#bytes + bytes > this.#mostBytes || own > this.#mostBytes * PEER_SHARE) return false;
    this.#bytes += bytes;
    this.#peers.set(peer, own);
    return true;
  }

  leave(peer: string, bytes: number): void {
    const own = (this.#peers.get(peer) ?? 0) - bytes;
    this.#bytes -= bytes;
    if (own > 0) this.#peers.set(peer, own);
    else this.#peers.delete(peer);
  }
}
