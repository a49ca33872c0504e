import { describe, expect, it } from '@jest/globals';
import type { JobData } from './packed-batch.ts';
import { packBatch, unpackBatch } from './packed-batch.ts';

function job(slot: number, model: string, more: Partial<JobData['job']> = {}): JobData {
  const data = new Uint8Array(Float32Array.of(slot, slot / 3).buffer);
  const common = { steps: 16, length: 2, returnState: false, digestOnly: false, detail: 'SUMMARY' } as const;
  const times = { receivedMs: 0.125, deadlineMs: Infinity };
  const state = new Uint8Array(slot);
  return {
    job: { slot, model, ...common, ...times, stateLength: state.length, ...more },
    data,
    state: state.fill(slot),
  };
}

/** As it crosses to another thread, with the bytes that each job finds. */
function sent(jobs: readonly JobData[]) {
  const batch = packBatch(jobs);
  const { bytes, ...rest } = structuredClone(batch, { transfer: [batch.bytes] });
  return unpackBatch({ bytes, ...rest }).map(({ offset, stateOffset, ...unpacked }) => ({
    job: unpacked,
    data: new Uint8Array(bytes, 4 * offset, 4 * unpacked.length),
    state: new Uint8Array(bytes, stateOffset, unpacked.stateLength),
  }));
}

describe('a batch of jobs', () => {
  it('arrives as it was sent, with the inputs and states of all models', () => {
    const jobs = [job(5, 'a/1'), job(0, 'b/2'), job(1023, 'a/1')];
    expect(sent(jobs)).toEqual(jobs);
  });

  it.each(['SUMMARY', 'LAYERS', 'RASTER', 'READOUT'] as const)('keeps detail %s', (detail) => {
    const jobs = [job(1, 'a/1', { detail })];
    expect(sent(jobs)).toEqual(jobs);
  });

  it.each([
    [false, true],
    [true, false],
    [true, true],
  ])('keeps returnState %s and digestOnly %s', (returnState, digestOnly) => {
    const jobs = [job(1, 'a/1', { returnState, digestOnly, deadlineMs: 1e9 / 7 })];
    expect(sent(jobs)).toEqual(jobs);
  });

  it('has states at multiples of 4 bytes, whatever their length', () => {
    const batch = packBatch([job(1, 'a/1'), job(2, 'a/1'), job(3, 'a/1')]);
    expect(unpackBatch(batch).map(({ stateOffset }) => stateOffset % 4)).toEqual([0, 0, 0]);
  });
});
