// Events of a recording, as readers hand them over: in arrays that grow, up to a limit.

/** The events of one recording's window. */
export interface Window {
  /** Microseconds: the first that is wanted, and the first that is not. */
  readonly fromUs: number;
  readonly toUs: number;
}

/** About what a message of 16 MiB can have. */
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

  /** What lies outside of the window is left out. Throws RecordingError where there are too many. */
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

/** Takes the bytes of a file piece by piece, cut anywhere. */
export interface EventReader {
  add(chunk: Uint8Array): void;
  /** The file is over. Throws RecordingError where it ends too early. */
  end(): void;
}

/** Of a read beyond the end of a buffer. By its name: tests run in a realm of their own, with another RangeError than Node's. */
export function isOutOfRange(error: unknown): boolean {
  return (error as Error).name === 'RangeError';
}
