// An interrupt that never stops a run, and remembers the work that was reported to it.
import { Interrupt } from '../../services/engines/local/interrupt.ts';

export class MeteredInterrupt extends Interrupt {
  /** Work units of each call. */
  readonly spent: number[] = [];

  constructor() {
    super(new Int32Array(1), 0, Infinity);
  }

  get work(): number {
    return this.spent.reduce((sum, units) => sum + units, 0);
  }

  override spend(units: number): void {
    this.spent.push(units);
  }
}
