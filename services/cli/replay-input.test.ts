import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { UsageError } from './usage-error.ts';
import { inputOf } from './replay-input.ts';
import type { DisputeRecord } from './replay-records.ts';

const folder = mkdtempSync(join(tmpdir(), 'tandem-replay-input-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const data = Buffer.from(Float32Array.of(1, 0.7).buffer);
/** XXH64 of `data`. */
const HASH = '1ff42fc1ae457f2b';

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

describe('the input of a recorded dispute', () => {
  it('is the record’s own', () => {
    expect(inputOf(included, 1, undefined)).toEqual({ shape: [2], dtype: 'FP32', data });
  });

  it.each([
    ['JSON', same],
    ['text', file('same.txt', '1 0.7\n')],
    ['raw numbers', file('same.f32', data)],
    ['a series of as many numbers', file('series.json', '[[1], [0.7]]')],
  ])('is a file’s that has its hash: %s', (_, path) => {
    expect(inputOf(hashed, 1, path)).toEqual({ shape: [2], dtype: 'FP32', data });
  });

  it('keeps the shape of the record', () => {
    expect(inputOf({ ...hashed, shape: [2, 1] }, 1, same).shape).toEqual([2, 1]);
  });

  it('may be given for a record that holds it, too, if it is the same', () => {
    expect(inputOf(included, 1, same).data).toEqual(data);
    expect(() => inputOf(included, 1, file('other.json', '[1, 0.8]'))).toThrow(/is not the input of record 1/);
  });

  it.each([
    ['nothing, where there is only a hash', hashed, undefined, 'record 7 holds its input’s hash only; give the input'],
    ['other numbers', hashed, file('near.json', '[1, 0.70000005]'), `its hash is \\w{16}, and the record’s is ${HASH}`],
    ['too few numbers', hashed, file('few.json', '[1]'), 'it holds 1 numbers, and shape \\[2\\] has 2'],
    ['anything, where there is no hash', { ...hashed, input_xxh64: undefined }, same, 'the record’s is missing'],
    ['a file that is not there', hashed, '/no/such/file', '/no/such/file'],
  ])('is not %s', (_, record, path, message) => {
    const read = (): unknown => inputOf(record, 7, path);
    expect(read).toThrow(UsageError);
    expect(read).toThrow(new RegExp(message));
  });
});
