// The order in which connections read. Node.js reads each socket until it is empty. So a caller with many connections, or with
// many small calls, would delay all others. Where several owners send, their connections read for a short time each, and the
// owners take turns. Where only one owner sends, this costs one read of the clock for each chunk.
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
/** Time for one owner before the next one reads. */
const QUANTUM_MS = 0.25;
/** Two owners that have both read within this time compete. */
const CONTENTION_MS = 1_000;

const REAL_CLOCK: ReadClock = {
  now: () => performance.now(),
  afterOthers: (run) => void setImmediate(run),
  after: (ms, run) => {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};

export class ReadTurns {
  readonly #clock: ReadClock;
  /** The waiting connections by owner. The next owner to be served is first, and so is its next connection. */
  readonly #waiting = new Map<unknown, TurnTaker[]>();
  /** Oldest first. */
  #resting: TurnTaker[] = [];
  /** When the first pause ends. */
  #wakesMs = Infinity;
  #cancelWake = (): void => undefined;
  #lastOwner: unknown = undefined;
  #contendedUntilMs = -Infinity;
  /** Start of the present slice; undefined if there is none. */
  #sliceMs: number | undefined;
  /** End of the time of the connection that reads; Infinity if there is no other owner. */
  #untilMs = Infinity;

  constructor(clock: ReadClock = REAL_CLOCK) {
    this.#clock = clock;
  }

  /** Call this before a chunk is read. If it returns false, `taker.readOn` is called when it is its turn. */
  begin(taker: TurnTaker): boolean {
    const nowMs = this.#clock.now();
    if (taker.owner !== this.#lastOwner) {
      if (this.#lastOwner !== undefined) this.#contendedUntilMs = nowMs + CONTENTION_MS;
      this.#lastOwner = taker.owner;
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
    this.#wait(taker, nowMs);
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
    else this.#wait(taker, nowMs);
  }

  #wait(taker: TurnTaker, nowMs: number): void {
    this.#sliceMs ??= this.#beginSlice(nowMs);
    const queue = this.#waiting.get(taker.owner);
    if (queue === undefined) this.#waiting.set(taker.owner, [taker]);
    else queue.push(taker);
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
      } else this.#wait(taker, nowMs);
    }
    if (nextMs !== Infinity) this.#wakeAt(nextMs, nowMs);
  }

  #wakeAt(atMs: number, nowMs: number): void {
    this.#cancelWake();
    this.#wakesMs = atMs;
    this.#cancelWake = this.#clock.after(atMs - nowMs, () => this.#wake());
  }

  #beginSlice(nowMs: number): number {
    this.#clock.afterOthers(() => {
      this.#sliceMs = undefined;
      if (this.#waiting.size > 0) this.#serve();
    });
    return nowMs;
  }

  #serve(): void {
    let nowMs = this.#clock.now();
    this.#sliceMs = this.#beginSlice(nowMs);
    while (this.#waiting.size > 0 && this.#mayRead(nowMs)) {
      const taker = this.#shift();
      // Another connection of the same owner may have caused a pause since.
      if (taker.restsUntilMs > nowMs) this.#rest(taker, nowMs);
      else taker.readOn();
      nowMs = this.#clock.now();
    }
  }

  /** Assigns a part of the slice. Returns false if the slice is used up. */
  #mayRead(nowMs: number): boolean {
    const endMs = this.#sliceMs! + SLICE_MS;
    this.#untilMs = Math.min(nowMs + QUANTUM_MS, endMs);
    return nowMs < endMs;
  }

  #shift(): TurnTaker {
    const [[owner, queue]] = this.#waiting as unknown as [[unknown, TurnTaker[]]];
    const taker = queue.shift()!;
    this.#waiting.delete(owner);
    if (queue.length > 0) this.#waiting.set(owner, queue);
    return taker;
  }
}

/** Shared by the connections of all servers without turns of their own. */
export const sharedTurns = new ReadTurns();
