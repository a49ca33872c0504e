// Files that expelliarmus and dv-processing have written, against what these read from them.
import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { UsageError } from '../usage-error.ts';
import { Aedat4Reader } from './aedat4.ts';
import { RawReader } from './raw.ts';
import { readEvents } from './read.ts';
import { EventList, type EventReader, RecordingError } from './recording.ts';

const DATA = join(import.meta.dirname, '../../../test/data/inputs');
const ALL = { fromUs: 0, toUs: Infinity };
const FILES = ['evt2.raw', 'evt3.raw', 'none.aedat4', 'lz4.aedat4', 'zstd.aedat4'];

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

function decoded({ tUs, x, y, polarity }: EventList): Decoded {
  return { t: tUs, x, y, p: polarity.map(Number) };
}

describe.each(FILES)('the events of %s', (file) => {
  const bytes = readFileSync(join(DATA, file));

  it('are those that the library reads', () => {
    const { tUs, x, y, polarity } = readEvents(join(DATA, file), ALL);
    expect({ t: tUs.map(Number), x, y, p: polarity.map(Number) }).toEqual(expected(file));
  });

  it('are the same wherever the file is cut into pieces', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 700 }), (size) => {
        const list = new EventList(ALL);
        const reader = readerOf(file, list);
        for (let at = 0; at < bytes.length; at += size) reader.add(bytes.subarray(at, at + size));
        reader.end();
        expect(decoded(list)).toEqual(expected(file));
      }),
      { numRuns: 20 },
    );
  });

  it('may be those of a window alone', () => {
    const { t, x } = expected(file);
    const [fromUs, toUs] = [t[100]!, t[200]!];
    const read = readEvents(join(DATA, file), { fromUs, toUs });
    expect(read.x).toEqual(x.filter((_, k) => t[k]! >= fromUs && t[k]! < toUs));
    expect(read.startUs).toBe(BigInt(fromUs));
  });

  it('of a file that is damaged anywhere are read or refused, and nothing else', () => {
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
      { numRuns: 300 },
    );
  });
});

describe('a file of events', () => {
  function reading(content: Buffer | string, name = 'a.raw'): () => unknown {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-events-'));
    return () => {
      try {
        writeFileSync(join(folder, name), content);
        return readEvents(join(folder, name), ALL);
      } finally {
        rmSync(folder, { recursive: true });
      }
    };
  }

  it.each([
    ['of a format that is not known', '% evt 2.1\n% end\n', 'has the format EVT 2.1; known are EVT 2.0 and EVT 3.0'],
    ['without a format', '% date today\n% end\n', 'does not name its format'],
    ['that is empty', '', 'ends in its header, or is empty'],
    ['that ends within a word', '% evt 3.0\n% end\nabc', 'ends within a word'],
    ['of another kind', 'P'.repeat(100), 'does not name its format'],
  ])('%s is refused', (_, content, message) => {
    const run = reading(content);
    expect(run).toThrow(UsageError);
    expect(reading(content)).toThrow(message);
  });

  it('with the times of a day that begin anew is read on', () => {
    const word = (type: number, value: number): number => (type << 12) | value;
    const words = Uint16Array.of(
      word(8, 4_095),
      word(6, 7),
      word(0, 1),
      word(2, 5),
      word(8, 0),
      word(6, 9),
      word(2, 6),
    );
    const content = Buffer.concat([Buffer.from('% evt 3.0\n% end\n'), Buffer.from(words.buffer)]);
    expect(reading(content)()).toMatchObject({ tUs: [BigInt(4_095 * 4_096 + 7), BigInt(2 ** 24 + 9)], x: [5, 6] });
  });
});
