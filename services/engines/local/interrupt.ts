// Lets a long simulation be stopped from outside: by its deadline, or by a flag that another thread sets.

/** Work units (about a nanosecond each) between two checks of the clock and the flag. */
const UNITS_BETWEEN_LOOKS = 1 << 20;

export class Interrupted extends Error {
  readonly reason: 'CANCELLED' | 'DEADLINE_EXCEEDED';

  constructor(reason: 'CANCELLED' | 'DEADLINE_EXCEEDED') {
    super(reason);
    this.reason = reason;
  }
}

export class Interrupt {
  private readonly flags: Int32Array;
  private readonly slot: number;
  private readonly deadlineMs: number;
  private units = 0;

  /** `flags[slot]` other than 0 means cancelled; `deadlineMs` is by this thread's `performance.now()`. */
  constructor(flags: Int32Array, slot: number, deadlineMs: number) {
    this.flags = flags;
    this.slot = slot;
    this.deadlineMs = deadlineMs;
  }

  /** For runs that cannot be stopped. */
  static never(): Interrupt {
    return Interrupt.at(Infinity);
  }

  /** For runs that only their deadline can stop. */
  static at(deadlineMs: number): Interrupt {
    return new Interrupt(new Int32Array(1), 0, deadlineMs);
  }

  /** Throws Interrupted if the run must end. */
  look(): void {
    if (Atomics.load(this.flags, this.slot) !== 0) throw new Interrupted('CANCELLED');
    if (performance.now() >= this.deadlineMs) throw new Interrupted('DEADLINE_EXCEEDED');
  }

  /** Counts work, and checks at intervals. */
  spend(units: number): void {
    this.units += units;
    if (this.units < UNITS_BETWEEN_LOOKS) return;
    this.units = 0;
    this.look();
  }
}
