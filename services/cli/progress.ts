// Progress of a long command: one line on standard error if that is a terminal, else nothing.
import { createLogUpdate } from 'log-update';

const QUIET_MS = 500;
const BETWEEN_MS = 100;
const BAR_CELLS = 24;

interface ProgressOptions {
  /** Share of the input that is done, 0 to 1; undefined if its length is unknown. */
  readonly share: () => number | undefined;
  readonly stream?: NodeJS.WriteStream;
  readonly nowMs?: () => number;
}

export class Progress {
  readonly #share: () => number | undefined;
  readonly #nowMs: () => number;
  readonly #startedMs: number;
  readonly #line: ReturnType<typeof createLogUpdate> | undefined;
  #shownMs = -Infinity;
  #isShown = false;
  /** Cleared only for other output; it is drawn again at once. */
  #isDue = false;

  constructor({ share, stream = process.stderr, nowMs = () => performance.now() }: ProgressOptions) {
    this.#share = share;
    this.#nowMs = nowMs;
    this.#startedMs = nowMs();
    // The cursor stays visible: a hidden one would remain hidden after Ctrl-C.
    this.#line = stream.isTTY ? createLogUpdate(stream, { showCursor: true }) : undefined;
  }

  /** `done`: inputs that have an answer or an error. */
  show(done: number): void {
    const nowMs = this.#nowMs();
    const tookMs = nowMs - this.#startedMs;
    if (!this.#line || tookMs < QUIET_MS || (nowMs - this.#shownMs < BETWEEN_MS && !this.#isDue)) return;
    this.#shownMs = nowMs;
    this.#isShown = true;
    this.#isDue = false;
    this.#line(progressText(done, tookMs, this.#share()));
  }

  /** Makes room for other output. */
  clear(): void {
    if (this.#isShown) this.#line?.clear();
    this.#isDue = this.#isShown;
    this.#isShown = false;
  }
}

export function progressText(done: number, tookMs: number, share: number | undefined): string {
  const rate = `${count(done)} done · ${count((done / tookMs) * 1_000)} per second`;
  if (share === undefined || share === 0) return rate;
  const cells = Math.round(share * BAR_CELLS);
  const leftS = ((tookMs / share) * (1 - share)) / 1_000;
  return `${'█'.repeat(cells)}${'░'.repeat(BAR_CELLS - cells)} ${Math.round(share * 100)} % · ${rate} · ${duration(leftS)} left`;
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
