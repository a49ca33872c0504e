// Writes every dispute to a file without delaying requests: records wait in memory, up to a limit, and are written one
// after another; records that do not fit or cannot be written are dropped and counted.
import { atMost } from '../core/at-most.ts';
import { RotatingFile } from './dispute-file.ts';
import { type Dispute, type InputForm, toLine } from './dispute-record.ts';

export interface DisputeLogOptions {
  readonly file: string;
  /** Maximum size of each file. A record with a larger input and state is written with their hashes. */
  readonly maxBytes: number;
  /** Number of files: FILE and the older FILE.1, FILE.2, … At least 1. */
  readonly files: number;
  readonly input: InputForm;
  /** Called for the first record that cannot be written after a success. */
  readonly onProblem?: (error: Error) => void;
}

/** Maximum waiting bytes. */
const MAX_WAITING = 256;
const MAX_WAITING_BYTES = 16 * 1_048_576;
/** Time limit of `stop` if the disk does not respond. */
const STOP_MS = 2_000;

export class DisputeLog {
  /** Number of written records. */
  written = 0;
  /** Number of lost records: too many waited, or the file system refused them. */
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
    // Copies: both may be views that would keep whole messages in memory.
    const own = { data: new Uint8Array(dispute.data), state: new Uint8Array(dispute.state) };
    this.#waiting.push({ dispute: { ...dispute, ...own }, timeMs });
    this.#waitingBytes += bytes;
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when all records are written or lost. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  /** Writes the waiting records, for at most two seconds, and accepts no more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const closed = this.flush().then(() => this.#file.close());
    await atMost(STOP_MS, closed);
  }

  async #writeAll(): Promise<void> {
    await Promise.resolve(); // not inside record()
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
      // Only now: a record that is being written still uses memory.
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

/** The large parts of a record. */
function bytesOf({ data, state }: Dispute): number {
  return data.length + state.length;
}
