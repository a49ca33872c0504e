// Prophesee's RAW files: header lines that begin with % and name the format, then the words of that format.
import { EVT2_WORD_BYTES, Evt2Decoder } from './evt2.ts';
import { EVT3_WORD_BYTES, Evt3Decoder } from './evt3.ts';
import { type EventList, type EventReader, RecordingError } from './recording.ts';

const MAX_HEADER_BYTES = 65_536;
const PERCENT = 0x25;
const LINE_END = 0x0a;

interface Decoder {
  decode(words: DataView): void;
}

export class RawReader implements EventReader {
  readonly #to: EventList;
  #header: Buffer | undefined = Buffer.alloc(0);
  #decoder: Decoder | undefined;
  #wordBytes = 1;
  /** Start of a word that continues in the next chunk. */
  #rest = Buffer.alloc(0);

  constructor(to: EventList) {
    this.#to = to;
  }

  add(chunk: Uint8Array): void {
    if (this.#header === undefined) {
      this.#decode(chunk);
      return;
    }
    this.#header = Buffer.concat([this.#header, chunk]);
    const end = headerEnd(this.#header);
    if (end === undefined) {
      if (this.#header.length <= MAX_HEADER_BYTES) return;
      throw new RecordingError('has no end of its header in 64 KiB; is it a RAW file of Metavision?');
    }
    const whole = this.#header;
    this.#header = undefined;
    this.#choose(whole.toString('latin1', 0, end));
    this.#decode(whole.subarray(end));
  }

  end(): void {
    if (this.#header !== undefined) throw new RecordingError('ends in its header, or is empty');
    if (this.#rest.length > 0) throw new RecordingError('ends within a word; copy it again, whole');
  }

  #choose(header: string): void {
    const format = /^% (?:format EVT|evt )([0-9.]+)/im.exec(header)?.[1] ?? '';
    const version = format.split('.').map(Number);
    const isPlain = (version[1] ?? 0) === 0;
    if (version[0] === 2 && isPlain) [this.#decoder, this.#wordBytes] = [new Evt2Decoder(this.#to), EVT2_WORD_BYTES];
    else if (version[0] === 3 && isPlain)
      [this.#decoder, this.#wordBytes] = [new Evt3Decoder(this.#to), EVT3_WORD_BYTES];
    else {
      const what = format === '' ? 'does not name its format' : `has the format EVT ${format}`;
      throw new RecordingError(
        `${what}; known are EVT 2.0 and EVT 3.0, named by a line "% evt 3.0" or "% format EVT3"`,
      );
    }
    if (/^%.*endianness=big/im.test(header)) {
      throw new RecordingError('is big-endian; convert it with metavision_file_to_raw');
    }
  }

  #decode(chunk: Uint8Array): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const whole = bytes.length - (bytes.length % this.#wordBytes);
    this.#decoder!.decode(new DataView(bytes.buffer, bytes.byteOffset, whole));
    this.#rest = Buffer.from(bytes.subarray(whole));
  }
}

/** Offset of the first word: after "% end", or at the first line that does not begin with %. */
function headerEnd(bytes: Buffer): number | undefined {
  let at = 0;
  while (at < bytes.length && bytes[at] === PERCENT) {
    const lineEnd = bytes.indexOf(LINE_END, at);
    if (lineEnd < 0) return undefined;
    const line = bytes.toString('latin1', at, lineEnd).trim();
    at = lineEnd + 1;
    if (line === '% end') return at;
  }
  return at < bytes.length ? at : undefined;
}
