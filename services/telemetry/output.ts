// Where the log goes. A reader that is slow, stopped or gone must not hold up the router: lines wait up to a bound, and
// those beyond it are dropped and counted. pino's own destination writes in a thread that a full pipe blocks for good, so that
// the process could not even end.

import { visibleJson, visibleLines } from '../core/visible.ts';

/** What may wait for a reader. */
const MAX_WAITING_BYTES = 1_048_576;

/** As much of process.stderr as is needed. */
interface Target {
  readonly writableLength: number;
  write(text: string): boolean;
  on(event: 'error', listener: () => void): unknown;
}

export class Output {
  readonly #target: Target;
  #isBroken = false;
  #dropped = 0;
  #toldDropped = 0;

  constructor(target: Target) {
    this.#target = target;
    target.on('error', () => (this.#isBroken = true)); // the reader has gone
    // A terminal that is stopped (Ctrl-S, a lost SSH connection) would block; Node.js has no public way to say so.
    (target as { _handle?: { setBlocking?(isBlocking: boolean): void } })._handle?.setBlocking?.(false);
  }

  /** Lines that were dropped since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** A line with its end. Never waits and never throws. */
  write(line: string): void {
    if (this.#isBroken || this.#target.writableLength > MAX_WAITING_BYTES) {
      this.#dropped += 1;
      return;
    }
    const lost = this.#dropped - this.#toldDropped;
    this.#toldDropped = this.#dropped;
    if (lost > 0) this.#target.write(`tandem: ${lost} lines of the log were dropped here: its reader was too slow\n`);
    this.#target.write(line.startsWith('{') ? visibleJson(line) : visibleLines(line));
  }
}

/** The log's, and that of the sidecars' lines. */
export const logOutput = new Output(process.stderr);
