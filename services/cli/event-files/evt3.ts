// Prophesee's EVT 3.0: 16-bit words. Each changes a coordinate or the time, or is an event or a row of events.
import type { EventList } from './recording.ts';

const [ADDR_Y, ADDR_X, VECT_BASE_X, VECT_12, VECT_8, TIME_LOW, TIME_HIGH] = [0x0, 0x2, 0x3, 0x4, 0x5, 0x6, 0x8];
/** Times have 24 bits and then wrap around. */
const TIME_LOOP_US = 2 ** 24;
const TIME_LOW_LOOP_US = 4_096;
/** A time that goes back by less than this is a late word, not a wrap-around. The high bits have 4,096 values. */
const LOOP_STEPS = 2_048;

export const EVT3_WORD_BYTES = 2;

export class Evt3Decoder {
  #timeHigh: number | undefined;
  #timeLow = 0;
  /** Of high bits that were left out. */
  #carryUs = 0;
  #loopUs = 0;
  #y: number | undefined;
  #baseX = 0;
  #isOn = false;
  readonly #to: EventList;

  constructor(to: EventList) {
    this.#to = to;
  }

  /** Whole words. Events before the first time and the first row are skipped. */
  decode(words: DataView): void {
    for (let at = 0; at < words.byteLength; at += EVT3_WORD_BYTES) this.#decodeWord(words.getUint16(at, true));
  }

  #decodeWord(word: number): void {
    switch (word >>> 12) {
      case ADDR_Y:
        this.#y = word & 0x7ff;
        break;
      case ADDR_X:
        this.#event(word & 0x7ff, (word & 0x800) !== 0);
        break;
      case VECT_BASE_X:
        this.#baseX = word & 0x7ff;
        this.#isOn = (word & 0x800) !== 0;
        break;
      case VECT_12:
        this.#row(word & 0xfff, 12);
        break;
      case VECT_8:
        this.#row(word & 0xff, 8);
        break;
      case TIME_LOW:
        this.#takeTimeLow(word & 0xfff);
        break;
      case TIME_HIGH:
        this.#takeTimeHigh(word & 0xfff);
    }
  }

  #takeTimeHigh(timeHigh: number): void {
    if (this.#timeHigh !== undefined && this.#timeHigh - timeHigh > LOOP_STEPS) this.#loopUs += TIME_LOOP_US;
    if (timeHigh === this.#timeHigh) return;
    this.#timeHigh = timeHigh;
    this.#carryUs = 0;
    // The matching low bits follow later.
    this.#timeLow = 0;
  }

  /** Some writers, such as expelliarmus, omit the high bits when they increase by one. */
  #takeTimeLow(timeLow: number): void {
    if (timeLow < this.#timeLow) this.#carryUs += TIME_LOW_LOOP_US;
    this.#timeLow = timeLow;
  }

  #row(mask: number, width: number): void {
    for (let k = 0; k < width; k += 1) if (mask & (1 << k)) this.#event(this.#baseX + k, this.#isOn);
    this.#baseX += width;
  }

  #event(x: number, isOn: boolean): void {
    if (this.#timeHigh === undefined || this.#y === undefined) return;
    this.#to.add(this.#loopUs + this.#timeHigh * TIME_LOW_LOOP_US + this.#carryUs + this.#timeLow, x, this.#y, isOn);
  }
}
