// An input: a shipped sample, a file, standard input, or a list.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReasonRequest } from '../generated/tandem/v1/reasoning.ts';
import { NumpyError, readNpy } from '../importing/npy.ts';
import { UsageError } from './usage-error.ts';

export interface CliInput {
  /** `[n]`, or `[steps, n]` for nested lists. */
  readonly shape: number[];
  /** Little-endian binary32. */
  readonly data: Buffer;
  /** The text of a sample; empty otherwise. */
  readonly text: string;
}

interface Sample {
  readonly name: string;
  readonly text: string;
  readonly label: string;
  readonly encoding_f32_base64: string;
}

const SAMPLES_FILE = join(import.meta.dirname, '../../deploy/models/supersense/samples.json');

function readSamples(): readonly Sample[] {
  return (JSON.parse(readFileSync(SAMPLES_FILE, 'utf8')) as { samples: Sample[] }).samples;
}

export function sampleNames(): string[] {
  return readSamples().map(({ name }) => name);
}

export function readSample(name: string): CliInput {
  const samples = readSamples();
  const sample = samples.find((each) => each.name === name);
  if (sample === undefined) {
    throw new UsageError(`there is no sample "${name}"; there are: ${samples.map((each) => each.name).join(', ')}`);
  }
  const data = Buffer.from(sample.encoding_f32_base64, 'base64');
  return { shape: [data.length / 4], data, text: sample.text };
}

/** The request with the input. */
export function withInput(request: ReasonRequest, { shape, data }: CliInput): ReasonRequest {
  return { ...request, tensor: { shape, dtype: 'FP32', data } };
}

/** `-` is standard input. */
export function readBytes(file: string): Buffer {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    throw new UsageError(`cannot read "${file}": ${(error as Error).message}`);
  }
}

export function readInput(file: string): CliInput {
  return parseInput(readBytes(file), file);
}

/** `file`: the source of the bytes; its extension gives their format. */
export function parseInput(bytes: Buffer, file: string): CliInput {
  if (file.endsWith('.f32')) return { shape: [bytes.length / 4], data: bytes, text: '' };
  if (file.endsWith('.npy')) return parseNpy(bytes, file);
  if (file.endsWith('.csv')) return parseCsv(bytes.toString('utf8'));
  return parseNumbers(bytes.toString('utf8'));
}

function parseNpy(bytes: Buffer, file: string): CliInput {
  try {
    const { shape, values } = readNpy(bytes, file);
    return { shape: [...shape], data: Buffer.from(Float32Array.from(values).buffer), text: '' };
  } catch (error) {
    if (error instanceof NumpyError) throw new UsageError(`cannot read "${file}": ${error.message}`);
    throw error;
  }
}

/** One row per line: numbers separated by commas. */
export function parseCsv(text: string): CliInput {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return toInput(lines.map((line, row) => line.split(',').map((word) => csvNumber(word.trim(), row))));
}

function csvNumber(word: string, row: number): number {
  try {
    return toNumber(word);
  } catch (error) {
    throw new UsageError(`line ${row + 1}: ${(error as Error).message}; a .csv file must have only numbers, no header`);
  }
}

/**
 * JSON (a list, or a list of lists of equal length for a time series), or numbers separated by spaces, commas or line
 * breaks.
 */
export function parseNumbers(text: string): CliInput {
  const trimmed = text.trim();
  return toInput(trimmed.startsWith('[') ? (parseJson(trimmed) as unknown[]) : trimmed.split(/[\s,]+/).map(toNumber));
}

/** A list of numbers, or of lists of equal length. */
export function toInput(list: readonly unknown[]): CliInput {
  const isSeries = Array.isArray(list[0]);
  const rows = isSeries ? (list as unknown[][]) : [list];
  const width = rows[0]?.length ?? 0;
  const data = Buffer.alloc(rows.length * width * 4);
  rows.forEach((row, step) => {
    if (!Array.isArray(row) || row.length !== width)
      throw new UsageError(`row ${step} has a different length from row 0`);
    row.forEach((value, index) => {
      if (typeof value !== 'number') {
        throw new UsageError(`element ${index}${isSeries ? ` of row ${step}` : ''} is not a number`);
      }
      data.writeFloatLE(value, (step * width + index) * 4);
    });
  });
  return { shape: isSeries ? [rows.length, width] : [width], data, text: '' };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`the input is not JSON: ${(error as Error).message}`);
  }
}

function toNumber(word: string): number {
  // Number() also accepts NaN and Infinity: the router refuses them.
  const value = word === '' ? undefined : Number(word);
  if (value === undefined || (Number.isNaN(value) && word.toLowerCase() !== 'nan')) {
    throw new UsageError(word === '' ? 'the input is empty' : `"${word.slice(0, 20)}" is not a number`);
  }
  return value;
}
