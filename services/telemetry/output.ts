// The destination of the log. A slow, stopped or closed reader must not block the router: lines wait up to a limit, and
// lines beyond it are dropped and counted. pino's own destination writes in a thread. A full pipe would block it for
// ever, and the process could not end.

import { visibleJson, visibleLines } from '../core/visible.ts';

/** Maximum waiting bytes. */
const MAX_WAITING_BYTES = 1_048_576;

/** The part of process.stderr that is used. */
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
    target.on('error', () => (this.#isBroken = true)); // the reader has closed the pipe
    // A stopped terminal (Ctrl-S, a lost SSH connection) would block. Node.js has no public API to make it
    // non-blocking.
    (target as { _handle?: { setBlocking?(isBlocking: boolean): void } })._handle?.setBlocking?.(false);
  }

  /** Number of lines dropped since the start. */
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

/** The output of the log and of the sidecars' lines. */
export const logOutput = new Output(process.stderr);
