import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { EventBins } from '../config/input-settings.ts';
import { RouterError } from '../core/errors.ts';
import { type PackedEvents, type Series, binEvents } from './events.ts';

const BINS: EventBins = {
  ...{ bin_us: 10, width: 3, height: 2 },
  ...{ polarity: 'separate', value: 'count', order: 'ascending' },
};

function packed(values: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  for (let value of values) {
    for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
    bytes.push(value);
  }
  return Uint8Array.from(bytes);
}

type Event = readonly [t: number, x: number, y: number, polarity: number];

function events(list: readonly Event[], over: Partial<PackedEvents> = {}): PackedEvents {
  const [times, x, y, polarity] = [0, 1, 2, 3].map((field) => packed(list.map((event) => event[field]!)));
  return { times: times!, x: x!, y: y!, polarity: polarity!, startUs: undefined, steps: 0, ...over };
}

/** Returns step, element and value of each value that is not 0. */
function spikes({ values, steps }: Series, size = 12): number[][] {
  expect(values).toHaveLength(steps * size);
  return [...values].flatMap((value, at) => (value === 0 ? [] : [[Math.floor(at / size), at % size, value]]));
}

function refusal(list: readonly Event[], over: Partial<PackedEvents> = {}, bins = BINS): unknown[] {
  try {
    binEvents(events(list, over), bins);
  } catch (error) {
    if (error instanceof RouterError) return [error.kind, error.violation?.field, error.metadata['index']];
    throw error;
  }
  return [];
}

describe('binEvents', () => {
  it('counts events by time, polarity, row and column', () => {
    const list: Event[] = [
      [1_000, 0, 0, 0],
      [1_009, 0, 0, 0],
      [1_010, 2, 1, 1],
      [1_035, 1, 1, 0],
    ];
    expect(spikes(binEvents(events(list), BINS))).toEqual([
      [0, 0, 2],
      [1, 11, 1],
      [3, 4, 1],
    ]);
  });

  it('uses the start and number of steps of the request', () => {
    const series = binEvents(events([[25, 1, 0, 1]], { startUs: 0, steps: 5 }), BINS);
    expect([series.steps, spikes(series)]).toEqual([5, [[2, 7, 1]]]);
    expect(binEvents(events([], { startUs: 7, steps: 3 }), BINS).values).toEqual(new Float32Array(36));
  });

  it('merges or signs polarities, or counts once per bin', () => {
    const list: Event[] = [
      [0, 1, 0, 0],
      [1, 1, 0, 0],
      [2, 1, 0, 1],
    ];
    const of = (over: Partial<EventBins>): number[][] => spikes(binEvents(events(list), { ...BINS, ...over }), 6);
    expect(of({ polarity: 'merged' })).toEqual([[0, 1, 3]]);
    expect(of({ polarity: 'signed' })).toEqual([[0, 1, -1]]);
    expect(of({ polarity: 'merged', value: 'binary' })).toEqual([[0, 1, 1]]);
  });

  it('accepts events in any order if the model allows it', () => {
    const list: Event[] = [
      [50, 0, 0, 0],
      [20, 0, 0, 0],
      [41, 0, 0, 0],
    ];
    const ascending = list.toSorted(([a], [b]) => a - b);
    expect(binEvents(events(list), { ...BINS, order: 'any' })).toEqual(binEvents(events(ascending), BINS));
  });

  it.each<[string, unknown[], unknown[]]>([
    [
      'descending times',
      refusal([
        [9, 0, 0, 0],
        [8, 0, 0, 0],
      ]),
      ['INVALID_FIELD', 'events.t_us[1]', '1'],
    ],
    [
      'a column outside',
      refusal([
        [1, 0, 0, 0],
        [1, 3, 0, 0],
      ]),
      ['INVALID_FIELD', 'events.x[1]', '1'],
    ],
    ['a row outside', refusal([[1, 0, 2, 0]]), ['INVALID_FIELD', 'events.y[0]', '0']],
    ['an unknown polarity', refusal([[1, 0, 0, 2]]), ['INVALID_FIELD', 'events.polarity[0]', '0']],
    ['lists of different lengths', refusal([[1, 0, 0, 0]], { y: packed([0, 0]) }), ['INPUT_LENGTH', 'events.y', '1']],
    [
      'an incomplete number',
      refusal([[1, 0, 0, 0]], { x: Uint8Array.of(128) }),
      ['INVALID_FIELD', 'events.x', undefined],
    ],
    ['a column of a thousand bytes', refusal([[1, 0, 0, 0]], { x: endless() }), ['INVALID_FIELD', 'events.x[0]', '0']],
    [
      'a time of a thousand bytes',
      refusal([[1, 0, 0, 0]], { times: endless() }),
      ['INVALID_FIELD', 'events.t_us[0]', '0'],
    ],
    ['a time before the start', refusal([[1, 0, 0, 0]], { startUs: 2 }), ['INPUT_STEPS', 'events.t_us', undefined]],
    [
      'a time after the last step',
      refusal(
        [
          [9, 0, 0, 0],
          [30, 0, 0, 0],
        ],
        { startUs: 0, steps: 3 },
      ),
      ['INVALID_FIELD', 'events.t_us[1]', '1'],
    ],
    ['no events and no steps', refusal([]), ['INPUT_MISSING', 'events.start_us', undefined]],
    [
      'a time range that is too long',
      refusal([
        [0, 0, 0, 0],
        [1e9, 0, 0, 0],
      ]),
      ['INPUT_STEPS', 'events.t_us', undefined],
    ],
    ['too many steps', refusal([], { startUs: 0, steps: 100_001 }), ['INPUT_STEPS', 'events.steps', undefined]],
    [
      'a series that is too large',
      refusal([], { startUs: 0, steps: 400 }, { ...BINS, width: 256, height: 256 }),
      ['INPUT_STEPS', 'events.steps', undefined],
    ],
  ])('refuses %s, with the field and index', (_, refused, expected) => {
    expect(refused).toEqual(expected);
  });

  it('bins or refuses arbitrary bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 12 });
    fc.assert(
      fc.property(bytes, bytes, bytes, bytes, fc.nat(40), (times, x, y, polarity, steps) => {
        try {
          const series = binEvents({ times, x, y, polarity, startUs: undefined, steps }, { ...BINS, order: 'any' });
          expect(series.values.every(Number.isFinite)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(RouterError);
        }
      }),
    );
  });
});

function endless(): Uint8Array {
  return Uint8Array.of(...Array<number>(1_000).fill(255), 1);
}
