// Files of expelliarmus and dv-processing; the expected values are what these libraries read from them.
import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { Aedat4Reader } from './aedat4.ts';
import { RawReader } from './raw.ts';
import { readEvents } from './read.ts';
import { EventList, type EventReader, RecordingError } from './recording.ts';

const DATA = join(import.meta.dirname, '../../../test/data/inputs');
const ALL = { fromUs: 0, toUs: Infinity };

interface Decoded {
  readonly t: number[];
  readonly x: number[];
  readonly y: number[];
  readonly p: number[];
}

function expected(file: string): Decoded {
  const name = file.endsWith('.raw') ? file.replace('.raw', '.json') : 'aedat4.json';
  return JSON.parse(readFileSync(join(DATA, name), 'utf8')) as Decoded;
}

function readerOf(file: string, to: EventList): EventReader {
  return file.endsWith('.raw') ? new RawReader(to) : new Aedat4Reader(to);
}

describe.each(['evt2.raw', 'evt3.raw', 'none.aedat4', 'lz4.aedat4', 'zstd.aedat4'])('the events of %s', (file) => {
  const bytes = readFileSync(join(DATA, file));

  it('are the same as the library reads', () => {
    const { tUs, x, y, polarity } = readEvents(join(DATA, file), ALL);
    expect({ t: tUs.map(Number), x, y, p: polarity.map(Number) }).toEqual(expected(file));
  });

  it('are the same however the file is split', () => {
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 900 }), (size) => {
        const list = new EventList(ALL);
        const reader = readerOf(file, list);
        for (let at = 0; at < bytes.length; at += size) reader.add(bytes.subarray(at, at + size));
        reader.end();
        expect(list.tUs).toEqual(expected(file).t);
      }),
      { numRuns: 10 },
    );
  });

  it('are read or refused with RecordingError if the file is damaged or truncated', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length), (at, byte, length) => {
        const harmed = Buffer.from(bytes.subarray(0, length));
        if (at < length) harmed[at] = byte;
        try {
          const reader = readerOf(file, new EventList(ALL));
          reader.add(harmed);
          reader.end();
        } catch (error) {
          expect(error).toBeInstanceOf(RecordingError);
        }
      }),
      { numRuns: 200 },
    );
  });
});
