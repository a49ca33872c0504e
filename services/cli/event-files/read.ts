// Reads event files; the name gives the format. Reads in pieces and keeps only the requested window.
import { closeSync, openSync, readSync } from 'node:fs';
import type { Events } from '../../generated/tandem/v1/reasoning.ts';
import { UsageError } from '../usage-error.ts';
import { Aedat4Reader } from './aedat4.ts';
import { RawReader } from './raw.ts';
import { EventList, type EventReader, RecordingError, type Window } from './recording.ts';

const CHUNK_BYTES = 1_048_576;

const READERS: Readonly<Record<string, new (to: EventList) => EventReader>> = {
  '.raw': RawReader,
  '.aedat4': Aedat4Reader,
};

export function isEventFile(file: string): boolean {
  return readerOf(file) !== undefined;
}

/** Throws UsageError. */
export function readEvents(file: string, window: Window): Events {
  const list = new EventList(window);
  const reader = new (readerOf(file)!)(list);
  try {
    for (const chunk of chunksOf(file)) reader.add(chunk);
    reader.end();
  } catch (error) {
    if (!(error instanceof RecordingError)) throw error;
    throw new UsageError(`"${file}" ${error.message}`);
  }
  const { tUs, x, y, polarity } = list;
  return {
    tUs: tUs.map(BigInt),
    x,
    y,
    polarity,
    startUs: window.fromUs > 0 ? BigInt(window.fromUs) : undefined,
    steps: 0,
  };
}

function readerOf(file: string): (typeof READERS)[string] | undefined {
  const end = Object.keys(READERS).find((name) => file.toLowerCase().endsWith(name));
  return end === undefined ? undefined : READERS[end];
}

function* chunksOf(file: string): Generator<Buffer> {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    throw new UsageError(`cannot read "${file}": ${(error as Error).message}`);
  }
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const length = readSync(descriptor, chunk);
      if (length === 0) return;
      yield chunk.subarray(0, length);
    }
  } finally {
    closeSync(descriptor);
  }
}
