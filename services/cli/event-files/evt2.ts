// Prophesee's EVT 2.0: 32-bit words. Each is an event with the low bits of its time, or the high bits for the following
// times.
import type { EventList } from './recording.ts';

const [CD_OFF, CD_ON, TIME_HIGH] = [0x0, 0x1, 0x8];

export const EVT2_WORD_BYTES = 4;

export class Evt2Decoder {
  #timeHigh: number | undefined;
  readonly #to: EventList;

  constructor(to: EventList) {
    this.#to = to;
  }

  /** `bytes` are whole words. Events before the first time word are skipped, because they have no time. */
  decode(words: DataView): void {
    for (let at = 0; at < words.byteLength; at += EVT2_WORD_BYTES) {
      const word = words.getUint32(at, true);
      const type = word >>> 28;
      if (type === TIME_HIGH) this.#timeHigh = (word & 0xfff_ffff) * 64;
      else if ((type === CD_OFF || type === CD_ON) && this.#timeHigh !== undefined) {
        const time = this.#timeHigh + ((word >>> 22) & 0x3f);
        this.#to.add(time, (word >>> 11) & 0x7ff, word & 0x7ff, type === CD_ON);
      }
    }
  }
}
