// The order in which connections read. Node.js reads each socket until it is empty. So a caller with many connections, or with
// many small calls, would delay all others. Where several connections send, they read for a short time each. Their owners
// take turns, and so do the connections of an owner. Where only one connection sends, this costs one read of the clock for
// each chunk.
//
// A connection can also be paused: it is not read before a given time, and TCP then slows its peer down.

/** A connection. */
export interface TurnTaker {
  /** Connections with an equal owner share its turns. */
  readonly owner: unknown;
  /** No data is read from it before this time of `ReadClock`, in ms; 0 or less: no pause. */
  readonly restsUntilMs: number;
  /** Called once after `begin` returned false or `wait` was called, when it is the connection's turn. */
  readOn(): void;
}

interface ReadClock {
  now(): number;
  /** Calls `run` after the other work of the event loop. */
  afterOthers(run: () => void): void;
  /** Calls `run` after `ms`. Returns a function that cancels it. */
  after(ms: number, run: () => void): () => void;
}

/** Time for all owners in one turn of the event loop. */
const SLICE_MS = 1;
/** At most so many connections read then: one in each part, since the promises of what it has read settle in between. */
const PARTS = 16;
/** Time for one connection before the next one reads. */
const QUANTUM_MS = 0.25;
/** Two connections that have both read within this time compete. */
const CONTENTION_MS = 1_000;

const REAL_CLOCK: ReadClock = {
  now: () => performance.now(),
  afterOthers: (run) => void setImmediate(run),
  after: (ms, run) => {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};

/**
 * The waiting connections of one owner. One that has not begun to read its data and one that goes on alternate: a connection
 * with little data does not wait for all of those that send much. (fq_codel, RFC 8290, serves new flows first for that.)
 */
class Queue {
  readonly #begin: TurnTaker[] = [];
  readonly #goOn: TurnTaker[] = [];
  #lastBegan = false;

  get isEmpty(): boolean {
    return this.#begin.length === 0 && this.#goOn.length === 0;
  }

  push(taker: TurnTaker, isNew: boolean): void {
    (isNew ? this.#begin : this.#goOn).push(taker);
  }

  shift(): TurnTaker {
    this.#lastBegan = this.#begin.length > 0 && !(this.#lastBegan && this.#goOn.length > 0);
    return (this.#lastBegan ? this.#begin : this.#goOn).shift()!;
  }
}

export class ReadTurns {
  readonly #clock: ReadClock;
  /** The waiting connections by owner. The next owner to be served is first, and so is its next connection. */
  readonly #waiting = new Map<unknown, Queue>();
  /** Oldest first. */
  #resting: TurnTaker[] = [];
  /** When the first pause ends. */
  #wakesMs = Infinity;
  #cancelWake = (): void => undefined;
  #last: TurnTaker | undefined = undefined;
  #contendedUntilMs = -Infinity;
  /** Start of the present slice; undefined if there is none. */
  #sliceMs: number | undefined;
  /** End of the time of the connection that reads; Infinity if no other connection sends. */
  #untilMs = Infinity;

  constructor(clock: ReadClock = REAL_CLOCK) {
    this.#clock = clock;
  }

  /** Call this before a chunk is read. If it returns false, `taker.readOn` is called when it is its turn. */
  begin(taker: TurnTaker): boolean {
    const nowMs = this.#clock.now();
    if (taker !== this.#last) {
      if (this.#last !== undefined) this.#contendedUntilMs = nowMs + CONTENTION_MS;
      this.#last = taker;
    }
    if (taker.restsUntilMs > nowMs) {
      this.#rest(taker, nowMs);
      return false;
    }
    if (this.#waiting.size === 0 && nowMs >= this.#contendedUntilMs) {
      this.#untilMs = Infinity;
      return true;
    }
    this.#sliceMs ??= this.#beginSlice(nowMs);
    if (this.#waiting.size === 0 && this.#mayRead(nowMs)) return true;
    this.#wait(taker, nowMs, true);
    return false;
  }

  /** Returns true if the connection that reads now must stop, and wait for its next turn. */
  isOver(taker: TurnTaker): boolean {
    if (this.#untilMs === Infinity && taker.restsUntilMs <= 0) return false;
    const nowMs = this.#clock.now();
    return nowMs >= this.#untilMs || nowMs < taker.restsUntilMs;
  }

  wait(taker: TurnTaker): void {
    const nowMs = this.#clock.now();
    if (taker.restsUntilMs > nowMs) this.#rest(taker, nowMs);
    else this.#wait(taker, nowMs, false);
  }

  #wait(taker: TurnTaker, nowMs: number, isNew: boolean): void {
    this.#sliceMs ??= this.#beginSlice(nowMs);
    let queue = this.#waiting.get(taker.owner);
    if (queue === undefined) this.#waiting.set(taker.owner, (queue = new Queue()));
    queue.push(taker, isNew);
  }

  #rest(taker: TurnTaker, nowMs: number): void {
    this.#resting.push(taker);
    if (taker.restsUntilMs < this.#wakesMs) this.#wakeAt(taker.restsUntilMs, nowMs);
  }

  /** Connections whose pause has ended wait for their turn. */
  #wake(): void {
    const nowMs = this.#clock.now();
    const resting = this.#resting;
    this.#resting = [];
    this.#wakesMs = Infinity;
    let nextMs = Infinity;
    for (const taker of resting) {
      if (taker.restsUntilMs > nowMs) {
        this.#resting.push(taker);
        nextMs = Math.min(nextMs, taker.restsUntilMs);
      } else this.#wait(taker, nowMs, false);
    }
    if (nextMs !== Infinity) this.#wakeAt(nextMs, nowMs);
  }

  #wakeAt(atMs: number, nowMs: number): void {
    this.#cancelWake();
    this.#wakesMs = atMs;
    this.#cancelWake = this.#clock.after(atMs - nowMs, () => this.#wake());
  }

  #beginSlice(nowMs: number): number {
    this.#clock.afterOthers(this.#nextSlice);
    for (let part = 1; part < PARTS; part += 1) this.#clock.afterOthers(this.#serve);
    return nowMs;
  }

  readonly #nextSlice = (): void => {
    this.#sliceMs = undefined;
    if (this.#waiting.size === 0) return;
    this.#sliceMs = this.#beginSlice(this.#clock.now());
    this.#serve();
  };

  /** One connection reads, if there is time. */
  readonly #serve = (): void => {
    if (this.#sliceMs === undefined) return;
    const nowMs = this.#clock.now();
    while (this.#waiting.size > 0 && this.#mayRead(nowMs)) {
      const taker = this.#shift();
      if (taker.restsUntilMs <= nowMs) {
        taker.readOn();
        return;
      }
      // Another connection of the same owner has caused a pause since.
      this.#rest(taker, nowMs);
    }
  };

  /** Assigns a part of the slice. Returns false if the slice is used up. */
  #mayRead(nowMs: number): boolean {
    const endMs = this.#sliceMs! + SLICE_MS;
    this.#untilMs = Math.min(nowMs + QUANTUM_MS, endMs);
    return nowMs < endMs;
  }

  #shift(): TurnTaker {
    const [[owner, queue]] = this.#waiting as unknown as [[unknown, Queue]];
    const taker = queue.shift();
    this.#waiting.delete(owner);
    if (!queue.isEmpty) this.#waiting.set(owner, queue);
    return taker;
  }
}

/** Shared by the connections of all servers without turns of their own. */
export const sharedTurns = new ReadTurns();
