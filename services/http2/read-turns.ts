// The order in which connections read. Node.js reads each socket until it is empty. So a caller with many connections, or with
// many small calls, would delay all others. Where several owners send, their connections read for a short time each, and the
// owners take turns. Where only one owner sends, this costs one read of the clock for each chunk.
//
// A connection can also be paused: it is not read before a given time, and TCP then slows its peer down.

/** A connection. */
export interface TurnTaker {
  /** Those with an equal owner share its turns. */
  readonly owner: unknown;
  /** No data is read from it before this time, on the clock of its turns; 0 or less: no pause. */
  readonly restsUntilMs: number;
  /** Called once after `begin` returned false or `wait` was called: it is its turn. */
  readOn(): void;
}

interface ReadClock {
  now(): number;
  /** Calls `run` when the event loop has done what else it had to do. */
  afterOthers(run: () => void): void;
  /** Calls `run` after `ms`. Returns a function that cancels it. */
  after(ms: number, run: () => void): () => void;
}

/** Of one turn of the event loop, for all; milliseconds. */
const SLICE_MS = 1;
/** Of one owner at a time. */
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
  /** By owner, the next to be served first; in each the first come first. */
  readonly #waiting = new Map<unknown, TurnTaker[]>();
  /** Oldest first. */
  #resting: TurnTaker[] = [];
  /** When the first pause ends. */
  #wakesMs = Infinity;
  #cancelWake = (): void => undefined;
  #lastOwner: unknown = undefined;
  #contendedUntilMs = -Infinity;
  /** When the present slice began; undefined: none has. */
  #sliceMs: number | undefined;
  /** Until when the one that reads may; Infinity: it is alone. */
  #untilMs = Infinity;

  constructor(clock: ReadClock = REAL_CLOCK) {
    this.#clock = clock;
  }

  /** To be called before a chunk is read. False: `taker` is called when it is its turn. */
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

  /** Whether the one that reads now is to stop, and to wait for its next turn. */
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
      // Another connection of the same owner may just have caused a pause.
      if (taker.restsUntilMs > nowMs) this.#rest(taker, nowMs);
      else taker.readOn();
      nowMs = this.#clock.now();
    }
  }

  /** Gives a part of the slice, if there is any left. */
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

/** Shared by the connections of all servers that are given no other. */
export const sharedTurns = new ReadTurns();
