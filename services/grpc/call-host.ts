import type { Arrivals, Unheard } from './arrivals.ts';
import type { CallOwner, Method } from './method.ts';
import type { Peer } from './peer.ts';
import type { Status } from './status.ts';

/** The interface of the server for its calls. */
export interface CallHost {
  readonly arrivals: Arrivals;
  /** A call ends before its handler has its message. Returns the status that its caller gets. */
  onUnheard(why: Unheard, status: Status, method: Method, sinceMs: number, owner: CallOwner | undefined): Status;
  /** A handler threw, or its answer cannot be encoded. */
  onBug(path: string, error: unknown): void;
  /** One of its calls has ended. */
  closed(peer: Peer, owner: CallOwner | undefined): void;
}
