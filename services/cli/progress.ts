// How far a long command is: one line on a terminal's standard error, and nothing anywhere else.
import { createLogUpdate } from 'log-update';

const QUIET_MS = 500;
const BETWEEN_MS = 100;
const BAR_CELLS = 24;

interface ProgressOptions {
  /** Of all the input that is done, 0 to 1; undefined where its end is not known. */
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
  /** Cleared only to make room: it comes back at once. */
  #isDue = false;

  constructor({ share, stream = process.stderr, nowMs = () => performance.now() }: ProgressOptions) {
    this.#share = share;
    this.#nowMs = nowMs;
    this.#startedMs = nowMs();
    // A cursor that was hidden would stay so after Ctrl-C.
    this.#line = stream.isTTY ? createLogUpdate(stream, { showCursor: true }) : undefined;
  }

  /** `done`: inputs that are answered, one way or another. */
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
