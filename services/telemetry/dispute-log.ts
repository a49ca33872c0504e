// Keeps every dispute for later, and never at the cost of a request: records wait in memory, up to a bound, for a disk
// that takes them one after the other; what does not fit or cannot be written is dropped and counted.
import { atMost } from '../core/at-most.ts';
import { RotatingFile } from './dispute-file.ts';
import { type Dispute, type InputForm, toLine } from './dispute-record.ts';

export interface DisputeLogOptions {
  readonly file: string;
  /** Of each file. A record whose input and state are too much for one is written with their hashes. */
  readonly maxBytes: number;
  /** Files in all: FILE and the older FILE.1, FILE.2, … At least 1. */
  readonly files: number;
  readonly input: InputForm;
  /** Hears of the first record that cannot be written after others could. */
  readonly onProblem?: (error: Error) => void;
}

/** What may wait for the disk. */
const MAX_WAITING = 256;
const MAX_WAITING_BYTES = 16 * 1_048_576;
/** What `stop` gives a disk that does not answer. */
const STOP_MS = 2_000;

export class DisputeLog {
  /** Records that are in the file. */
  written = 0;
  /** Records that are lost: too many waited, or the file system refused them. */
  dropped = 0;
  readonly #options: DisputeLogOptions;
  readonly #file: RotatingFile;
  #waiting: { readonly dispute: Dispute; readonly timeMs: number }[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #isFailing = false;
  #stopped = false;

  constructor(options: DisputeLogOptions) {
    this.#options = options;
    this.#file = new RotatingFile(options);
  }

  /** `timeMs`: when it happened. Returns at once and never throws. */
  record(dispute: Dispute, timeMs = Date.now()): void {
    const bytes = bytesOf(dispute);
    const isFull = this.#waiting.length >= MAX_WAITING || this.#waitingBytes + bytes > MAX_WAITING_BYTES;
    if (this.#stopped || isFull) {
      this.dropped += 1;
      return;
    }
    // Copies: both may be views that keep whole messages in memory.
    const own = { data: new Uint8Array(dispute.data), state: new Uint8Array(dispute.state) };
    this.#waiting.push({ dispute: { ...dispute, ...own }, timeMs });
    this.#waitingBytes += bytes;
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when all that was recorded is written, or lost. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  /** Writes what waits, for two seconds at most, and takes no more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const closed = this.flush().then(() => this.#file.close());
    await atMost(STOP_MS, closed);
  }

  async #writeAll(): Promise<void> {
    await Promise.resolve(); // not within record()
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      try {
        await this.#file.append(this.#lineOf(next.dispute, next.timeMs));
        this.written += 1;
        this.#isFailing = false;
      } catch (error) {
        this.dropped += 1;
        if (!this.#isFailing) this.#options.onProblem?.(error as Error);
        this.#isFailing = true;
      }
      // Only now: what is being written still takes its room.
      this.#waiting.shift();
      this.#waitingBytes -= bytesOf(next.dispute);
    }
    this.#writing = undefined;
  }

  #lineOf(dispute: Dispute, timeMs: number): string {
    const { input, maxBytes } = this.#options;
    const isTooLong = (bytesOf(dispute) * 4) / 3 > maxBytes;
    return toLine(dispute, timeMs, isTooLong ? 'hashed' : input);
  }
}

/** What takes room in a record. */
function bytesOf({ data, state }: Dispute): number {
  return data.length + state.length;
}
