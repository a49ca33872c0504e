import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../usage-error.ts';
import { RawReader } from './raw.ts';
import { readEvents } from './read.ts';
import { EventList, RecordingError, type Window } from './recording.ts';

const ALL: Window = { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER };

/** A word of EVT 3.0. */
const word = (type: number, value: number): number => (type << 12) | value;
const [ADDR_Y, ADDR_X, BASE_X, VECT_12, VECT_8, TIME_LOW, TIME_HIGH] = [0x0, 0x2, 0x3, 0x4, 0x5, 0x6, 0x8];
const ON = 0x800;

const evt3 = (...words: number[]): Buffer =>
  Buffer.concat([Buffer.from('% evt 3.0\n% geometry 640x480\n% end\n'), Buffer.from(Uint16Array.from(words).buffer)]);
const evt2 = (...words: number[]): Buffer =>
  Buffer.concat([
    Buffer.from('% format EVT2;height=480;width=640\n% end\n'),
    Buffer.from(Uint32Array.from(words).buffer),
  ]);

/** A word of EVT 2.0: type, low bits of the time, column and row. */
const cd = (isOn: boolean, time: number, x: number, y: number): number =>
  ((Number(isOn) << 28) | (time << 22) | (x << 11) | y) >>> 0;
const high = (time: number): number => ((0x8 << 28) | time) >>> 0;

const PLAIN3 = evt3(
  ...[
    word(TIME_HIGH, 2),
    word(TIME_LOW, 5),
    word(ADDR_Y, 33),
    word(ADDR_X, 7 | ON),
    word(TIME_LOW, 6),
    word(ADDR_X, 8),
  ],
  ...[word(BASE_X, 100 | ON), word(VECT_12, 0x801), word(VECT_8, 0x82), word(ADDR_Y, 479), word(ADDR_X, 639)],
);

function reading(content: Buffer | string, window = ALL): () => ReturnType<typeof readEvents> {
  return () => {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-events-'));
    try {
      writeFileSync(join(folder, 'a.raw'), content);
      return readEvents(join(folder, 'a.raw'), window);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
}

describe('readEvents of a RAW file', () => {
  it('reads EVT 2.0 word by word', () => {
    const events = reading(evt2(cd(true, 1, 2, 3), high(10), cd(true, 5, 639, 479), high(11), cd(false, 63, 0, 1)))();
    expect(events).toMatchObject({ tUs: [645n, 767n], x: [639, 0], y: [479, 1], polarity: [true, false] });
  });

  it('reads EVT 3.0 with its vector events', () => {
    const time = 2 * 4_096;
    expect(reading(PLAIN3)()).toMatchObject({
      tUs: [5, 6, 6, 6, 6, 6, 6].map((low) => BigInt(time + low)),
      x: [7, 8, 100, 111, 113, 119, 639],
      y: [33, 33, 33, 33, 33, 33, 479],
      polarity: [true, false, true, true, true, true, false],
    });
  });

  it('continues if the time counter starts again at 0', () => {
    const words = [word(TIME_HIGH, 4_095), word(TIME_LOW, 7), word(ADDR_Y, 1), word(ADDR_X, 5)];
    const anew = [word(TIME_HIGH, 0), word(TIME_LOW, 9), word(ADDR_X, 6)];
    expect(reading(evt3(...words, ...anew))()).toMatchObject({ tUs: [BigInt(4_095 * 4_096 + 7), BigInt(2 ** 24 + 9)] });
  });

  it('continues if the high bits of the time are missing', () => {
    const words = [word(TIME_HIGH, 1), word(TIME_LOW, 4_000), word(ADDR_Y, 1), word(ADDR_X, 5)];
    const leftOut = [word(TIME_LOW, 9), word(ADDR_X, 6), word(TIME_HIGH, 3), word(TIME_LOW, 8), word(ADDR_X, 7)];
    expect(reading(evt3(...words, ...leftOut))()).toMatchObject({ tUs: [8_096n, 8_201n, 12_296n] });
  });

  it('reads only the given window', () => {
    const window = { fromUs: 2 * 4_096 + 6, toUs: 2 * 4_096 + 7 };
    const events = reading(PLAIN3, window)();
    expect([events.x, events.startUs]).toEqual([[8, 100, 111, 113, 119, 639], BigInt(window.fromUs)]);
  });

  it.each([
    ['of an unknown format', '% evt 2.1\n% end\n', 'has the format EVT 2.1; known are EVT 2.0 and EVT 3.0'],
    ['without a format', '% date today\n% end\n', 'does not name its format'],
    ['that is empty', '', 'ends in its header, or is empty'],
    ['that ends inside a word', '% evt 3.0\n% end\nabc', 'ends within a word'],
    ['that is not a RAW file', 'P'.repeat(100), 'does not name its format'],
  ])('refuses a file %s', (_, content, message) => {
    expect(reading(content)).toThrow(UsageError);
    expect(reading(content)).toThrow(message);
  });

  it('returns the same events however the file is split', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: PLAIN3.length }), (size) => {
        const list = new EventList(ALL);
        const reader = new RawReader(list);
        for (let at = 0; at < PLAIN3.length; at += size) reader.add(PLAIN3.subarray(at, at + size));
        reader.end();
        expect(list.x).toEqual([7, 8, 100, 111, 113, 119, 639]);
      }),
    );
  });

  it('reads or refuses arbitrary bytes', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('% evt 2.0\n', '% evt 3.0\n', ''),
        fc.uint8Array({ maxLength: 300 }),
        (head, bytes) => {
          try {
            const reader = new RawReader(new EventList(ALL));
            reader.add(Buffer.concat([Buffer.from(head), bytes]));
            reader.end();
          } catch (error) {
            expect(error).toBeInstanceOf(RecordingError);
          }
        },
      ),
    );
  });
});
