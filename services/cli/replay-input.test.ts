import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { UsageError } from './usage-error.ts';
import { inputOf, stateOf } from './replay-input.ts';
import type { DisputeRecord } from './replay-records.ts';

const folder = mkdtempSync(join(tmpdir(), 'tandem-replay-input-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const data = Buffer.from(Float32Array.of(1, 0.7).buffer);
/** XXH64 of `data`. */
const HASH = '1ff42fc1ae457f2b';
/** XXH64 of 'a state'. */
const STATE_HASH = '2ea62a19ee53ffe6';

const included: DisputeRecord = {
  ...{ time: '', request_id: '', model: 'm', model_version: 1, model_id: '1f', strategy: 's', verdict: 'v' },
  ...{ shape: [2], ballots: [], differences: [], input_f32_base64: data.toString('base64') },
};
const hashed: DisputeRecord = { ...included, input_f32_base64: undefined, input_xxh64: HASH };

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const same = file('same.json', '[1, 0.7]');

describe('inputOf', () => {
  it('returns the input of the record', () => {
    expect(inputOf(included, 1, undefined)).toEqual({ shape: [2], dtype: 'FP32', data });
  });

  it.each([
    ['JSON', same],
    ['text', file('same.txt', '1 0.7\n')],
    ['raw numbers', file('same.f32', data)],
    ['a series of as many numbers', file('series.json', '[[1], [0.7]]')],
  ])('accepts a file with the recorded hash: %s', (_, path) => {
    expect(inputOf(hashed, 1, path)).toEqual({ shape: [2], dtype: 'FP32', data });
  });

  it('keeps the shape of the record', () => {
    expect(inputOf({ ...hashed, shape: [2, 1] }, 1, same).shape).toEqual([2, 1]);
  });

  it('accepts a file for a record with an input only if both are equal', () => {
    expect(inputOf(included, 1, same).data).toEqual(data);
    expect(() => inputOf(included, 1, file('other.json', '[1, 0.8]'))).toThrow(/is not the input of record 1/);
  });

  it.each([
    [
      'a missing option for a record with only a hash',
      hashed,
      undefined,
      'record 7 holds its input’s hash only; give the input',
    ],
    ['other numbers', hashed, file('near.json', '[1, 0.70000005]'), `its hash is \\w{16}, and the record’s is ${HASH}`],
    ['too few numbers', hashed, file('few.json', '[1]'), 'it holds 1 numbers, and shape \\[2\\] has 2'],
    ['any file for a record without a hash', { ...hashed, input_xxh64: undefined }, same, 'the record’s is missing'],
    ['a missing file', hashed, '/no/such/file', '/no/such/file'],
  ])('refuses %s', (_, record, path, message) => {
    const read = (): unknown => inputOf(record, 7, path);
    expect(read).toThrow(UsageError);
    expect(read).toThrow(new RegExp(message));
  });
});

describe('stateOf', () => {
  const state = Buffer.from('a state');
  const whole = { ...included, state_base64: state.toString('base64') };
  const hashOnly = { ...hashed, state_xxh64: STATE_HASH };
  const kept = file('kept.state', state);

  it('returns the state of the record, or an empty one', () => {
    expect([stateOf(whole, 1, undefined), stateOf(included, 1, undefined)]).toEqual([state, Buffer.alloc(0)]);
  });

  it('accepts a file with the recorded hash', () => {
    expect([stateOf(hashOnly, 1, kept), stateOf(whole, 1, kept)]).toEqual([state, state]);
  });

  it.each([
    [
      'a missing option for a record with only a hash',
      hashOnly,
      undefined,
      'record 7 holds its session state’s hash only; give',
    ],
    ['another state', hashOnly, same, `its hash is \\w{16}, and the record’s is ${STATE_HASH}`],
    ['any file if the run began at step 0', included, kept, 'its run began at step 0'],
    ['a missing file', hashOnly, '/no/such/file', '/no/such/file'],
  ])('refuses %s', (_, record, path, message) => {
    const read = (): unknown => stateOf(record, 7, path);
    expect(read).toThrow(UsageError);
    expect(read).toThrow(new RegExp(message));
  });
});
