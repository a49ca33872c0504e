import { describe, expect, it } from '@jest/globals';
import { refuse } from '../../../test/fakes/fake-sidecar.ts';
import {
  Inference,
  type InferResult,
  InferStreamResponse,
  LayerActivity,
} from '../../generated/tandem/engine/v1/engine.ts';
import { InferResults } from './infer-results.ts';

const FULL = Inference.fromPartial({
  ...{ modelVersion: 3, steps: 300, spikeCounts: [0, 1, 127, 128, 2 ** 32 - 1], potentials: Buffer.from('abcdefgh') },
  ...{ totalSpikes: 2n ** 64n - 1n, synapticOperations: 2n ** 53n + 1n, stateDigest: 2n ** 64n - 2n },
  ...{ readoutDigest: 5n, queueUs: 200, computeUs: 2 ** 31, batchItems: 64, recordingId: 2n ** 63n },
  state: Uint8Array.from(Buffer.from('TST1 and more')),
});

function result(id: bigint, inference: Inference): InferResult {
  return { id, outcome: { $case: 'inference', value: inference } };
}

function read(bytes: Uint8Array): InferResults {
  const results = new InferResults();
  results.begin(Buffer.from(bytes));
  return results;
}

function encode(...results: InferResult[]): Uint8Array {
  return InferStreamResponse.encode({ results, checksum: 9n }).finish();
}

/** Encodes a length-delimited field. */
function field(number: number, bytes: readonly number[]): number[] {
  return [8 * number + 2, bytes.length, ...bytes];
}

describe('InferResults', () => {
  it('returns each result with its id and outcome', () => {
    const results = read(encode(result(1n, FULL), refuse(300n, 'DRAINING'), { id: 2n, outcome: undefined }));
    const seen = [];
    while (results.next()) seen.push([results.id, results.outcome]);
    expect(seen).toEqual([
      [1, 'inference'],
      [300, 'error'],
      [2, 'none'],
    ]);
  });

  it('has no result in an empty message or one with only a checksum', () => {
    expect([read(Buffer.alloc(0)).next(), read(encode()).next()]).toEqual([false, false]);
  });

  it('has id 0 and no outcome for an empty result after others', () => {
    const results = read(Buffer.concat([encode(result(5n, FULL)), Buffer.from(field(1, []))]));
    results.next();
    expect([results.next(), results.id, results.outcome, results.next()]).toEqual([true, 0, 'none', false]);
  });

  it('reads one message after the other', () => {
    const results = read(encode(result(5n, FULL), result(6n, FULL)));
    while (results.next());
    results.begin(Buffer.from(encode(refuse(7n, 'DRAINING'))));
    expect([results.next(), results.id, results.next()]).toEqual([true, 7, false]);
  });

  it('continues after a result that was read, skipped or malformed', () => {
    const broken = field(1, [8, 1, ...field(2, field(3, [0x80]))]);
    const results = read(Buffer.concat([encode(result(1n, FULL)), Buffer.from(broken), encode(result(3n, FULL))]));
    results.next();
    results.inference();
    results.next();
    expect(() => results.inference()).toThrow('a number');
    results.next();
    expect([results.id, results.inference().steps]).toEqual([3, 300]);
  });
});

describe('InferResults.inference', () => {
  const inferenceOf = (inference: Inference): unknown => {
    const results = read(encode(result(1n, inference)));
    results.next();
    return results.inference();
  };

  it('returns what generated code returns, with all 64 bits', () => {
    const { layers: _, readoutPerStep: __, ...expected } = FULL;
    expect(inferenceOf(FULL)).toEqual(expected);
  });

  it('returns zeros for absent fields', () => {
    const { layers: _, state: __, readoutPerStep: ___, ...expected } = Inference.create();
    expect(inferenceOf(Inference.create())).toEqual(expected);
  });

  it('returns layers', () => {
    const layer = LayerActivity.fromPartial({ node: 'lif', neurons: 2, spikes: 3n, spikesPerStep: [1, 2] });
    expect(inferenceOf({ ...FULL, layers: [layer, layer] })).toMatchObject({
      layers: [
        { node: 'lif', neurons: 2, spikes: 3, spikesPerStep: [1, 2] },
        { node: 'lif', neurons: 2, spikes: 3, spikesPerStep: [1, 2] },
      ],
    });
  });

  it('accepts unpacked counts and unknown fields', () => {
    const unknown = [0xa2, 1, 3, 1, 2, 3, 0xf8, 0x01, 5, 0xf9, 0x01, 1, 2, 3, 4, 5, 6, 7, 8, 0xfd, 0x01, 1, 2, 3, 4];
    const inference = [0x18, 4, ...unknown, 0x18, 0x80, 1, 0x10, 7];
    const results = read(Buffer.from(field(1, [8, 1, ...field(2, inference)])));
    results.next();
    expect(results.inference()).toMatchObject({ spikeCounts: [4, 128], steps: 7 });
  });

  it('throws if packed counts are truncated', () => {
    const results = read(Buffer.from(field(1, [8, 1, ...field(2, [...field(3, [1, 0x80]), 0x10, 7])])));
    results.next();
    expect(() => results.inference()).toThrow('a number is longer than its field');
  });

  it('returns the readout of each step', () => {
    expect(inferenceOf({ ...FULL, readoutPerStep: Buffer.from('abcd') })).toMatchObject({
      readoutPerStep: Buffer.from('abcd'),
    });
  });

  it('returns a state that does not change with the message', () => {
    const bytes = Buffer.from(encode(result(1n, FULL)));
    const results = read(bytes);
    results.next();
    const { state, potentials } = results.inference();
    expect([state!.buffer === bytes.buffer, state!.byteLength, state!.buffer.byteLength]).toEqual([false, 13, 13]);
    expect(potentials).toEqual(Buffer.from('abcdefgh'));
  });

  it.each([
    [[0x28, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f], 2n ** 53n - 1n],
    [[0x28, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10], 2n ** 53n],
    [[0x28, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], 2n ** 63n + 1n],
    [[0x28, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x03], 2n ** 63n + 1n],
  ])('reads numbers of up to ten bytes exactly: %j', (bytes, expected) => {
    const results = read(Buffer.from(field(1, [8, 1, ...field(2, bytes)])));
    results.next();
    expect(results.inference().totalSpikes).toBe(expected);
  });

  it('throws at a number of more than ten bytes', () => {
    const endless = [0x10, ...Array<number>(10).fill(0x80), 1];
    const results = read(Buffer.from(field(1, [8, 1, ...field(2, endless)])));
    results.next();
    expect(() => results.inference()).toThrow('a number does not end');
  });
});

describe('InferResults.error', () => {
  it('returns the error of the current result', () => {
    const results = read(encode(result(1n, FULL), refuse(2n, 'DRAINING'), result(3n, FULL)));
    results.next();
    results.next();
    expect(results.error()).toMatchObject({ reason: 'DRAINING', message: 'on purpose' });
  });
});

describe('unknown fields', () => {
  /** One of each wire type: a number, 8 bytes, 4 bytes, and bytes with a length. */
  const unknown = [
    0xf8, 0x01, 0x80, 0x01, 0xf9, 0x01, 1, 2, 3, 4, 5, 6, 7, 8, 0xfd, 0x01, 1, 2, 3, 4, 0xfa, 0x01, 1, 9,
  ];

  it('are skipped around a result and inside it', () => {
    const inside = [...unknown, 8, 5, ...unknown, ...field(2, [0x10, 7]), ...unknown];
    const results = read(Buffer.from([...unknown, ...field(1, inside), ...unknown, ...field(1, [8, 6])]));
    const seen: unknown[] = [];
    while (results.next()) seen.push([results.id, results.outcome === 'inference' && results.inference().steps]);
    expect(seen).toEqual([
      [5, 7],
      [6, false],
    ]);
  });
});
