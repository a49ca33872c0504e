// Finds the input and the initial session state of a recorded dispute: from the record, or from a file with the same
// hash.
import xxhash from 'xxhash-wasm';
import { hex64 } from '../core/hex.ts';
import { readState } from './session-options.ts';
import { UsageError } from './usage-error.ts';
import { readInput } from './input.ts';
import type { DisputeRecord } from './replay-records.ts';

interface RecordedInput {
  readonly shape: number[];
  readonly dtype: 'FP32';
  /** Little-endian binary32. */
  readonly data: Buffer;
}

const { h64Raw } = await xxhash();

/** `number`: of the record. Without `file`, the record must contain the input. Throws UsageError. */
export function inputOf(record: DisputeRecord, number: number, file: string | undefined): RecordedInput {
  const { shape } = record;
  const included = record.input_f32_base64 && Buffer.from(record.input_f32_base64, 'base64');
  if (file === undefined) {
    if (included) return { shape, dtype: 'FP32', data: included };
    throw new UsageError(
      `record ${number} holds its input’s hash only; give the input itself with --input FILE, and see settings ` +
        'disputes.input and disputes.max_bytes for the records to come',
    );
  }
  const { data } = readInput(file);
  const isNot = `"${file}" is not the input of record ${number}`;
  const wanted = shape.reduce((a, b) => a * b, 1);
  if (data.length !== 4 * wanted) {
    throw new UsageError(
      `${isNot}: it holds ${data.length / 4} numbers, and shape [${shape.join(', ')}] has ${wanted}`,
    );
  }
  const hash = hex64(h64Raw(data));
  const recorded = record.input_xxh64 ?? (included && hex64(h64Raw(included)));
  if (hash === recorded) return { shape, dtype: 'FP32', data };
  throw new UsageError(
    `${isNot}: its hash is ${hash}, and the record’s is ${recorded || 'missing'}; every number must be the same to the bit`,
  );
}

/** The initial state of the run; empty: step 0. `number`: of the record. Throws UsageError. */
export function stateOf(record: DisputeRecord, number: number, file: string | undefined): Buffer {
  const { state_base64: included, state_xxh64: hash } = record;
  if (file === undefined) {
    if (hash === undefined) return Buffer.from(included ?? '', 'base64');
    throw new UsageError(
      `record ${number} holds its session state’s hash only; give the state itself with --state FILE, and see settings ` +
        'disputes.input and disputes.max_bytes for the records to come',
    );
  }
  const isNot = `"${file}" is not the session state of record ${number}`;
  if (included === undefined && hash === undefined) throw new UsageError(`${isNot}: its run began at step 0`);
  const state = readState(file);
  const [given, recorded] = [hex64(h64Raw(state)), hash ?? hex64(h64Raw(Buffer.from(included!, 'base64')))];
  if (given === recorded) return state;
  throw new UsageError(`${isNot}: its hash is ${given}, and the record’s is ${recorded}`);
}
