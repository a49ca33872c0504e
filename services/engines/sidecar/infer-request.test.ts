import { describe, expect, it } from '@jest/globals';
import { fakeJob } from '../../../test/fakes/fake-job.ts';
import type { CallContext, InferenceInput } from '../../core/inference.ts';
import type { OpenSpan } from '../../core/request-trace.ts';
import { InferItem, InferStreamRequest } from '../../generated/tandem/engine/v1/engine.ts';
import type { InferJob } from './infer-job.ts';
import { encodeRequest } from './infer-request.ts';
import { isSealed } from './message-checksum.ts';

function job(id: number, over: Partial<InferenceInput> = {}, limits: Partial<CallContext> = {}): InferJob {
  return fakeJob(id, { model: 'm', version: 1, shape: [3], data: Buffer.from('0123456789ab'), ...over }, limits);
}

/** Decodes the message with generated code. */
function read(jobs: InferJob[], cancelIds: number[] = []): InferStreamRequest {
  return InferStreamRequest.decode(encodeRequest({ jobs, cancelIds }, 0n));
}

describe('encodeRequest', () => {
  it('encodes every field of an input', () => {
    const span = { toParentBytes: () => Buffer.alloc(25, 7), asksForLayers: true } as unknown as OpenSpan;
    const session = { state: Buffer.from('a state'), returnState: true };
    const over = { shape: [200, 0, 3], digestOnly: true, detail: 'RASTER', ...session } as const;
    const [item] = read([job(300, over, { span })]).items;
    expect(item).toEqual(
      InferItem.fromPartial({
        ...{ id: 300n, model: 'm', modelVersion: 1, shape: [200, 0, 3], data: Buffer.from('0123456789ab') },
        ...{ digestOnly: true, traceParent: Buffer.alloc(25, 7), traceLayers: true, detail: 2 },
        ...session,
      }),
    );
  });

  it.each<[string, Partial<InferenceInput>, Partial<InferItem>]>([
    ['no data', { data: Buffer.alloc(0), shape: [] }, { data: Buffer.alloc(0), shape: [] }],
    [
      'one byte of data and state',
      { data: Buffer.of(7), state: Buffer.of(8) },
      { data: Buffer.of(7), state: Buffer.of(8) },
    ],
    ['flags', { digestOnly: true, returnState: true }, { digestOnly: true, returnState: true }],
  ])('encodes an input with %s as generated code does', (_, over, fields) => {
    const data = Buffer.from('0123456789ab');
    const item = InferItem.fromPartial({ id: 1n, model: 'm', modelVersion: 1, shape: [3], data, ...fields });
    const expected = Buffer.from(InferStreamRequest.encode({ items: [item], cancelIds: [], checksum: 0n }).finish());
    expect(encodeRequest({ jobs: [job(1, over)], cancelIds: [] }, 0n).subarray(0, -9)).toEqual(expected);
  });

  it('keeps the order of inputs and adds cancelled ids', () => {
    const { items, cancelIds } = read([job(1), job(2, { data: Buffer.alloc(0), shape: [] })], [7, 300]);
    expect(items.map(({ id, data }) => [id, data.length])).toEqual([
      [1n, 12],
      [2n, 0],
    ]);
    expect(cancelIds).toEqual([7n, 300n]);
  });

  it('encodes the time left, at least 1 µs', () => {
    const nowMs = performance.now();
    const { items } = read([job(1), job(2, {}, { deadlineMs: nowMs + 1_000 }), job(3, {}, { deadlineMs: nowMs - 5 })]);
    const [none, some, least] = items.map(({ timeoutUs }) => Number(timeoutUs));
    expect([none, least]).toEqual([0, 1]);
    expect(some).toBeGreaterThan(900_000);
    expect(some).toBeLessThanOrEqual(1_000_000);
  });

  it.each([
    ['a short', 12],
    ['a long', 100_000],
  ])('ends %s message with its checksum', (_, bytes) => {
    const encoded = encodeRequest({ jobs: [job(1, { data: Buffer.alloc(bytes, 3) })], cancelIds: [] }, 5n);
    expect([isSealed(encoded, 5n), isSealed(encoded, 4n)]).toEqual([true, false]);
  });
});
