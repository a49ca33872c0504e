// Ballots that wait for an engine with a free slot. A vote is admitted like any other request, as soon as one engine
// has a free slot. It asks the engines with a free slot, and waits here for the others, so a waiting vote delays no
// other request.
//
// A queue for each engine, first come, first served. Ballots have priority over the requests in admission.ts: their
// votes were admitted earlier and could not finish otherwise.

export interface HasCapacity {
  /** Whether it may get requests now. */
  readonly isAvailable: boolean;
  /** Number of free slots. */
  readonly availableSlots: number;
}

/** Callback of a waiting ballot; called at most once. It takes the slot before it returns, if it still needs it. */
type OnCapacity = () => void;

interface Queue {
  /** In order of arrival. */
  readonly ballots: Set<OnCapacity>;
  /** Time since which the queue has not been empty. */
  readonly stoodSinceMs: number;
}

export class RoomQueue {
  readonly #queues = new Map<HasCapacity, Queue>();

  /**
   * Calls `onRoom` when one of the engines has a free slot or is no longer usable. Returns a function that ends the
   * wait; it may be called at any time.
   */
  wait(engines: readonly HasCapacity[], nowMs: number, onRoom: OnCapacity): () => void {
    const stop = (): void => {
      for (const engine of engines) this.#remove(engine, ballot);
    };
    const ballot = (): void => {
      stop();
      onRoom();
    };
    for (const engine of engines) {
      const queue = this.#queues.get(engine) ?? { ballots: new Set(), stoodSinceMs: nowMs };
      queue.ballots.add(ballot);
      this.#queues.set(engine, queue);
    }
    return stop;
  }

  /** How long ballots have been waiting for every one of these engines; 0: none waits for one of them. */
  stoodMs(engines: readonly HasCapacity[], nowMs: number): number {
    return Math.min(...engines.map((engine) => nowMs - (this.#queues.get(engine)?.stoodSinceMs ?? nowMs)));
  }

  serve(): void {
    for (const [engine, { ballots }] of this.#queues) {
      for (const ballot of ballots) {
        if (engine.isAvailable && engine.availableSlots <= 0) break;
        ballot();
      }
    }
  }

  #remove(engine: HasCapacity, ballot: OnCapacity): void {
    const queue = this.#queues.get(engine);
    queue?.ballots.delete(ballot);
    if (queue?.ballots.size === 0) this.#queues.delete(engine);
  }
}
