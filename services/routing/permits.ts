// Limits concurrent calls in total and per key. The others wait in order of arrival.

interface PermitLimits {
  readonly total: number;
  readonly perKey: number;
}

interface Waiting {
  readonly key: string;
  readonly start: () => void;
}

export class Permits {
  readonly #limits: PermitLimits;
  readonly #taken = new Map<string, number>();
  #total = 0;
  #waiting: Waiting[] = [];

  constructor(limits: PermitLimits) {
    this.#limits = limits;
  }

  /** Runs `call` once there is a permit. A hanging key does not delay the others. */
  async run<T>(key: string, call: () => Promise<T>): Promise<T> {
    if (this.#isAvailable(key)) this.#take(key);
    else await new Promise<void>((start) => this.#waiting.push({ key, start }));
    try {
      return await call();
    } finally {
      this.#giveBack(key);
    }
  }

  #isAvailable(key: string): boolean {
    return this.#total < this.#limits.total && (this.#taken.get(key) ?? 0) < this.#limits.perKey;
  }

  #take(key: string): void {
    this.#total += 1;
    this.#taken.set(key, (this.#taken.get(key) ?? 0) + 1);
  }

  #giveBack(key: string): void {
    this.#total -= 1;
    const left = (this.#taken.get(key) ?? 1) - 1;
    if (left > 0) this.#taken.set(key, left);
    else this.#taken.delete(key);
    const next = this.#waiting.findIndex((waiting) => this.#isAvailable(waiting.key));
    if (next < 0) return;
    const [{ key: nextKey, start }] = this.#waiting.splice(next, 1) as [Waiting];
    this.#take(nextKey); // before anything else can take it
    start();
  }
}
