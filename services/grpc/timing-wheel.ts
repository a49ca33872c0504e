// A timing wheel for the deadlines of many calls: each waits in the slot of its time, in a linked list, and one timer
// checks one slot at a time. Starting and ending a wait is a few assignments; a separate timer for each call would cost
// twenty times that.

/** A waiting item. The wheel uses the fields `next` and `previous`. */
export interface Waiting {
  /** By the wheel's clock, milliseconds. */
  dueMs: number;
  next: Waiting | undefined;
  previous: Waiting | undefined;
  /** Called when its time has come. It no longer waits, and may start again. */
  onDue(nowMs: number): void;
}

interface WheelClock {
  now(): number;
  /** Calls `run` every `ms`, until the returned function is called. */
  every(ms: number, run: () => void): () => void;
}

const REAL_CLOCK: WheelClock = {
  now: () => performance.now(),
  every: (ms, run) => {
    const timer = setInterval(run, ms).unref();
    return () => clearInterval(timer);
  },
};

/** Maximum delay of a deadline. */
const TICK_MS = 5;
/** Items due later than one turn of the wheel (2.56 s) are checked once a turn. */
const SLOTS = 512;

/** The head of a slot's list, which is a ring. */
class Slot implements Waiting {
  dueMs = Infinity;
  next: Waiting = this;
  previous: Waiting = this;
  onDue(): void {}
}

export class TimingWheel {
  readonly #clock: WheelClock;
  readonly #slots = Array.from({ length: SLOTS }, () => new Slot());
  #size = 0;
  /** The last checked tick. */
  #tick = 0;
  #stop: (() => void) | undefined;

  constructor(clock: WheelClock = REAL_CLOCK) {
    this.#clock = clock;
  }

  /** Adds an item that does not wait yet. A `dueMs` of Infinity is allowed but wastes time: do not add those. */
  add(waiting: Waiting): void {
    if (this.#stop === undefined) {
      this.#tick = Math.floor(this.#clock.now() / TICK_MS);
      this.#stop = this.#clock.every(TICK_MS, () => this.#look());
    }
    // Rounded up: a slot's time is over when it is checked.
    const tick = Math.max(Math.ceil(waiting.dueMs / TICK_MS), this.#tick + 1);
    const slot = this.#slots[tick % SLOTS]!;
    const last = slot.previous;
    waiting.next = slot;
    waiting.previous = last;
    last.next = waiting;
    slot.previous = waiting;
    this.#size += 1;
  }

  /** Does nothing if it does not wait. */
  remove(waiting: Waiting): void {
    const { next, previous } = waiting;
    if (next === undefined || previous === undefined) return;
    previous.next = next;
    next.previous = previous;
    waiting.next = undefined;
    waiting.previous = undefined;
    this.#size -= 1;
  }

  /** Whether its time is over, or will be before the wheel's next check. */
  isDue(waiting: Waiting): boolean {
    return waiting.dueMs < this.#clock.now() + TICK_MS;
  }

  #look(): void {
    const nowMs = this.#clock.now();
    const lastTick = Math.floor(nowMs / TICK_MS);
    // After a long pause of the process, every slot is checked once.
    const first = Math.max(this.#tick + 1, lastTick - SLOTS + 1);
    this.#tick = Math.max(this.#tick, lastTick);
    for (let tick = first; tick <= lastTick; tick += 1) this.#ring(this.#slots[tick % SLOTS]!, nowMs);
    if (this.#size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }

  #ring(slot: Slot, nowMs: number): void {
    // `onDue` may end other waiting calls, so due items are removed from the list before the first is called.
    const due: Waiting[] = [];
    for (let each = slot.next; each !== slot; each = each.next!) if (each.dueMs <= nowMs) due.push(each);
    for (const each of due) {
      if (each.next === undefined) continue; // ended by one before it
      this.remove(each);
      each.onDue(nowMs);
    }
  }
}
