// Collects the events of a recording in arrays that grow up to a limit.

/** The events of one recording's window. */
export interface Window {
  /** The window in microseconds: start (included) and end (excluded). */
  readonly fromUs: number;
  readonly toUs: number;
}

/** About what fits in a message of 16 MiB. */
export const MAX_EVENTS = 1_500_000;

/** The message says what to do. */
export class RecordingError extends Error {}

export class EventList {
  readonly tUs: number[] = [];
  readonly x: number[] = [];
  readonly y: number[] = [];
  readonly polarity: boolean[] = [];
  readonly #window: Window;

  constructor(window: Window) {
    this.#window = window;
  }

  /** Skips events outside the window. Throws RecordingError if there are too many. */
  add(tUs: number, x: number, y: number, isOn: boolean): void {
    if (tUs < this.#window.fromUs || tUs >= this.#window.toUs) return;
    if (this.tUs.length === MAX_EVENTS) {
      throw new RecordingError(
        `there are more than ${MAX_EVENTS} events up to ${tUs} µs; take a part of it with --from-us and --to-us`,
      );
    }
    this.tUs.push(tUs);
    this.x.push(x);
    this.y.push(y);
    this.polarity.push(isOn);
  }
}

/** Accepts the bytes of a file in pieces of any size. */
export interface EventReader {
  add(chunk: Uint8Array): void;
  /** Called at the end of the file. Throws RecordingError if it ends too early. */
  end(): void;
}

/**
 * Whether the error is a read beyond the end of a buffer. Checked by name: tests run in another realm, whose RangeError
 * is not Node's.
 */
export function isOutOfRange(error: unknown): boolean {
  return (error as Error).name === 'RangeError';
}
