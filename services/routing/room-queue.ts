// Ballots that wait for an engine with a free slot. A vote is admitted as any other request is, as soon as one engine has a
// free slot. It asks the engines that have one, and waits here for the others. So a vote that waits delays no other request.
//
// A queue for each engine, first come, first served. Ballots go before the requests that wait in admission.ts: their votes
// were let in earlier, and would not come to an end otherwise.

export interface HasCapacity {
  /** Whether it may be sent requests now. */
  readonly isAvailable: boolean;
  /** How many more it would take now. */
  readonly availableSlots: number;
}

/** What a ballot waits with; called at most once. It takes the room before it returns, if it still wants it. */
type OnCapacity = () => void;

interface Queue {
  /** In the order in which they came. */
  readonly ballots: Set<OnCapacity>;
  /** Since when it has not been empty. */
  readonly stoodSinceMs: number;
}

export class RoomQueue {
  readonly #queues = new Map<HasCapacity, Queue>();

  /**
   * Calls `onRoom` when one of the engines has room, or may not be asked any more. Returns what ends the waiting, which may
   * be called at any time.
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

  /** How long ballots have been waiting for each of these engines; 0: for one of them none waits. */
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
