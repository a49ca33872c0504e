// What a server made of a sequence of frames, from the bytes that it sent.
import { FrameCutter, FrameType } from '../../edge/wire.ts';
import { LAST_PING } from './sequence.ts';

export interface Outcome {
  /** Answered everything; said GOAWAY or closed; or waits for more bytes. */
  readonly connection: 'alive' | 'closed' | 'waits';
  /** Of its GOAWAY; undefined: it sent none. */
  readonly code: number | undefined;
  /** The GOAWAY's text, and what else is known of why. */
  readonly text: string;
  /** Of each stream that it said something of: "answered", or "reset CODE". */
  readonly streams: ReadonlyMap<number, string>;
}

export class OutcomeReader {
  isClosed = false;
  isAlive = false;
  hasNews = false;
  readonly #cutter = new FrameCutter();
  readonly #streams = new Map<number, string>();
  #code: number | undefined;
  #text = '';

  get isDone(): boolean {
    return this.isClosed || this.isAlive;
  }

  read(chunk: Buffer): void {
    this.hasNews = true;
    for (const { type, flags, stream, payload } of this.#cutter.cut(chunk)) {
      if (type === FrameType.HEADERS && !this.#streams.has(stream)) this.#streams.set(stream, 'answered');
      if (type === FrameType.RST_STREAM && payload.readUInt32BE(0) !== 0) {
        this.#streams.set(stream, `reset ${payload.readUInt32BE(0)}`);
      }
      if (type === FrameType.PING && (flags & 1) === 1 && payload.equals(LAST_PING)) this.isAlive = true;
      if (type === FrameType.GOAWAY) {
        this.isClosed = true;
        this.#code = payload.readUInt32BE(4);
        this.#text = payload.toString('latin1', 8);
      }
    }
  }

  close(): void {
    this.isClosed = true;
  }

  get outcome(): Outcome {
    const connection = this.isClosed ? 'closed' : this.isAlive ? 'alive' : 'waits';
    return { connection, code: this.#code, text: this.#text, streams: this.#streams };
  }
}
