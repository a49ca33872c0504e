// Converts sparse events of a sensor to a series: each step is a time bin, each element is a pixel and, if the model
// uses it, a polarity. proto/NUMERICS.md, "Events".
import type { EventBins } from '../config/input-settings.ts';
import { RouterError } from '../core/errors.ts';
import { VarintReader, countVarints } from './varints.ts';

/** As received: packed varints, one per event in each of the four lists. */
export interface PackedEvents {
  readonly times: Uint8Array;
  readonly x: Uint8Array;
  readonly y: Uint8Array;
  readonly polarity: Uint8Array;
  /** Start of step 0, microseconds; undefined: the first event. */
  readonly startUs: number | undefined;
  /** 0: up to the last event. */
  readonly steps: number;
}

export interface Series {
  readonly steps: number;
  readonly values: Float32Array<ArrayBuffer>;
}

/** Maximum elements of a generated series, since a few bytes of events could otherwise cost much memory. */
export const MAX_SERIES_ELEMENTS = 16 * 1_048_576;
const MAX_STEPS = 100_000;

export function channelsOf({ polarity }: EventBins): number {
  return polarity === 'separate' ? 2 : 1;
}

/** Throws RouterError that names the field and the index. */
export function binEvents(events: PackedEvents, bins: EventBins): Series {
  const count = countEvents(events);
  const times = readTimes(events.times, count, bins);
  const startUs = events.startUs ?? (bins.order === 'ascending' ? times[0] : smallest(times));
  if (startUs === undefined) {
    throw refused('events.start_us', 'INPUT_MISSING', 'there are no events; send some, or start_us and steps');
  }
  const steps = events.steps || stepsOf(times, startUs, bins);
  const size = channelsOf(bins) * bins.height * bins.width;
  if (steps < 1 || steps > MAX_STEPS || steps * size > MAX_SERIES_ELEMENTS) {
    const most = Math.min(MAX_STEPS, Math.floor(MAX_SERIES_ELEMENTS / size));
    const message = `the events make ${steps} steps of ${bins.bin_us} µs; send 1 to ${most}, in several requests`;
    throw refused(events.steps > 0 ? 'events.steps' : 'events.t_us', 'INPUT_STEPS', message);
  }
  const values = new Float32Array(steps * size);
  fill(values, times, events, { bins, startUs, steps, size });
  return { steps, values };
}

function countEvents(events: PackedEvents): number {
  const counts = (['times', 'x', 'y', 'polarity'] as const).map((name) => {
    try {
      return countVarints(events[name]);
    } catch {
      throw refused(fieldOf(name), 'INVALID_FIELD', `${fieldOf(name)}: the last number does not end`);
    }
  });
  const [count] = counts as [number, number, number, number];
  const other = counts.findIndex((each) => each !== count);
  if (other < 0) return count;
  const field = fieldOf((['times', 'x', 'y', 'polarity'] as const)[other]!);
  const message = `${field} has ${counts[other]} numbers, but events.t_us has ${count}; send one of each for every event`;
  throw refused(field, 'INPUT_LENGTH', message, Math.min(count, counts[other]!));
}

function readTimes(bytes: Uint8Array, count: number, { order }: EventBins): Float64Array {
  const times = new Float64Array(count);
  const reader = new VarintReader(bytes);
  let last = 0;
  for (let k = 0; k < count; k += 1) {
    const time = reader.next();
    if (!(time <= Number.MAX_SAFE_INTEGER)) {
      throw refusedAt('events.t_us', k, 'is over 2^53 - 1 µs; send times from the start of the recording');
    }
    if (time < last && order === 'ascending') {
      throw refusedAt(
        'events.t_us',
        k,
        `is ${time} µs, before the event in front of it, at ${last}; sort events by time`,
      );
    }
    last = time;
    times[k] = time;
  }
  return times;
}

function smallest(times: Float64Array): number | undefined {
  return times.length === 0 ? undefined : times.reduce((least, time) => Math.min(least, time));
}

function stepsOf(times: Float64Array, startUs: number, { bin_us: binUs, order }: EventBins): number {
  if (times.length === 0) return 1;
  const last = order === 'ascending' ? times[times.length - 1]! : times.reduce((most, time) => Math.max(most, time));
  return Math.floor((last - startUs) / binUs) + 1;
}

interface Shape {
  readonly bins: EventBins;
  readonly startUs: number;
  readonly steps: number;
  readonly size: number;
}

function fill(values: Float32Array, times: Float64Array, events: PackedEvents, shape: Shape): void {
  const { bins, startUs, steps, size } = shape;
  const { width, height, bin_us: binUs } = bins;
  const [xs, ys, polarities] = [events.x, events.y, events.polarity].map((bytes) => new VarintReader(bytes));
  const isBinary = bins.value === 'binary';
  const channel = bins.polarity === 'separate' ? width * height : 0;
  for (let k = 0; k < times.length; k += 1) {
    const time = times[k]!;
    const [x, y, polarity] = [xs!.next(), ys!.next(), polarities!.next()];
    const step = Math.floor((time - startUs) / binUs);
    if (!(step >= 0 && step < steps)) {
      throw refusedAt(
        'events.t_us',
        k,
        `is ${time} µs, outside of ${steps} steps of ${binUs} µs from ${startUs} µs on`,
      );
    }
    if (!(x < width)) throw refusedAt('events.x', k, `is ${x}; the sensor of this model has columns 0 to ${width - 1}`);
    if (!(y < height)) throw refusedAt('events.y', k, `is ${y}; the sensor of this model has rows 0 to ${height - 1}`);
    if (!(polarity <= 1)) throw refusedAt('events.polarity', k, `is ${polarity}; send 0 (off) or 1 (on)`);
    const at = step * size + polarity * channel + y * width + x;
    const sign = bins.polarity === 'signed' && polarity === 0 ? -1 : 1;
    values[at] = isBinary ? sign : values[at]! + sign;
  }
}

function fieldOf(name: 'times' | 'x' | 'y' | 'polarity'): string {
  return name === 'times' ? 'events.t_us' : `events.${name}`;
}

function refusedAt(field: string, index: number, problem: string): RouterError {
  return refused(`${field}[${index}]`, 'INVALID_FIELD', `${field}[${index}] ${problem}`, index);
}

function refused(
  field: string,
  kind: 'INPUT_MISSING' | 'INPUT_LENGTH' | 'INPUT_STEPS' | 'INVALID_FIELD',
  message: string,
  index?: number,
): RouterError {
  return new RouterError(kind, message, { field, metadata: index === undefined ? {} : { index: String(index) } });
}
