import { deflateSync, gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MessageReader, type MessageSink } from './message-reader.ts';
import { Code, type Status } from './status.ts';

const MAX_BYTES = 10_000;

let got: string[];
let problem: Status | undefined;
let consumed: number;
let caughtUp: number;
let inflated: number;
let onMessage: () => void;
const sink: MessageSink = {
  owner: undefined,
  onMessage: (bytes) => {
    got.push(bytes.toString('latin1'));
    onMessage();
  },
  onBadMessage: (status) => void (problem = status),
  onConsumed: (bytes) => void (consumed += bytes),
  onInflated: (bytes) => void (inflated += bytes),
  onCaughtUp: () => void (caughtUp += 1),
};

beforeEach(() => {
  got = [];
  problem = undefined;
  consumed = 0;
  caughtUp = 0;
  inflated = 0;
  onMessage = () => undefined;
});

function frame(message: string | Buffer, flag = 0): Buffer {
  const bytes = Buffer.from(message);
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

const reader = (encoding: 'identity' | 'gzip' | 'deflate' = 'identity'): MessageReader =>
  new MessageReader(sink, encoding, MAX_BYTES);

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}

describe('MessageReader', () => {
  it('returns the same messages however the bytes are split', () => {
    const message = fc.string({ maxLength: 50, unit: 'binary-ascii' });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 10 }), fc.array(fc.nat(60), { minLength: 1 }), (messages, sizes) => {
        got = [];
        const bytes = Buffer.concat(messages.map((each) => frame(each)));
        const read = reader();
        for (let at = 0, k = 0; at < bytes.length; k += 1) {
          const size = (sizes[k % sizes.length] ?? 0) + 1;
          read.add(bytes.subarray(at, at + size));
          at += size;
        }
        expect([got, read.isPartial, read.bytesHeld, read.count]).toEqual([messages, false, 0, messages.length]);
      }),
    );
  });

  it('returns messages that do not change if the chunk is reused', () => {
    const kept: Buffer[] = [];
    const read = new MessageReader({ ...sink, onMessage: (bytes) => void kept.push(bytes) }, 'identity', MAX_BYTES);
    const chunk = frame('first');
    read.add(chunk);
    chunk.fill(0);
    read.add(frame('other'));
    expect(kept.map(String)).toEqual(['first', 'other']);
  });

  it('refuses a message above the limit as soon as its length is known', () => {
    reader().add(frame(Buffer.alloc(MAX_BYTES + 1)).subarray(0, 5));
    expect(problem).toMatchObject({
      code: Code.RESOURCE_EXHAUSTED,
      message: 'the message has 10001 bytes; at most 10000 are taken: send less at once',
    });
  });

  it('accepts a message of exactly the limit', () => {
    reader().add(frame(Buffer.alloc(MAX_BYTES)));
    expect([problem, got.length]).toEqual([undefined, 1]);
  });

  it.each([
    [1, 'identity', /flagged as compressed/],
    [2, 'gzip', /has flag 2/],
    [255, 'identity', /has flag 255/],
  ] as const)('ends with INTERNAL for flag %d with encoding %s and reads no more', (flag, encoding, message) => {
    const read = reader(encoding);
    read.add(frame('x', flag));
    read.add(frame('y'));
    expect(problem).toMatchObject({ code: Code.INTERNAL, message: expect.stringMatching(message) as unknown });
    expect(got).toEqual([]);
  });

  it('passes the bytes of a message to the inspector, which can refuse it', () => {
    const seen: string[] = [];
    const refusal: Status = { code: Code.ABORTED, message: 'enough' };
    const read = new MessageReader(sink, 'identity', MAX_BYTES, (bytes) => {
      seen.push(String(bytes));
      return seen.length === 2 ? refusal : undefined;
    });
    const bytes = frame('abcdef');
    read.add(bytes.subarray(0, 7));
    read.add(bytes.subarray(7, 9));
    read.add(bytes.subarray(9));
    expect([seen, problem, got]).toEqual([['ab', 'cd'], refusal, []]);
  });
});

describe('a paused MessageReader', () => {
  it('returns no more messages of a chunk and reports no bytes as consumed', () => {
    const read = reader();
    onMessage = () => read.pause();
    read.add(Buffer.concat([frame('a'), frame('b')]));
    read.add(frame('c'));
    expect([got, consumed, read.bytesHeld]).toEqual([['a'], 6, 12]);
  });

  it('returns the rest in order after resume() and reports when none is left', () => {
    const read = reader();
    onMessage = () => read.pause();
    read.add(Buffer.concat([frame('a'), frame('b'), frame('c')]));
    read.resume();
    expect([got, caughtUp]).toEqual([['a', 'b'], 0]);
    onMessage = () => undefined;
    read.resume();
    expect([got, caughtUp, consumed]).toEqual([['a', 'b', 'c'], 1, 18]);
  });
});

describe('a compressed message', () => {
  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ] as const)('is decompressed: %s', async (encoding, pack) => {
    const read = reader(encoding);
    read.add(Buffer.concat([frame(pack('packed'), 1), frame('plain'), frame(pack('last'), 1)]));
    await until(() => got.length === 3);
    expect(got).toEqual(['packed', 'plain', 'last']);
  });

  it('above the limit after decompression ends with RESOURCE_EXHAUSTED', async () => {
    reader('gzip').add(frame(gzipSync(Buffer.alloc(MAX_BYTES + 1)), 1));
    await until(() => problem !== undefined);
    expect(problem).toMatchObject({ code: Code.RESOURCE_EXHAUSTED });
  });

  it('counts as held bytes until it is decompressed, and then as bytes that were not received', async () => {
    const packed = gzipSync(Buffer.alloc(MAX_BYTES));
    const read = reader('gzip');
    read.add(frame(packed, 1));
    expect([read.isDecompressing, read.bytesHeld]).toEqual([true, packed.length]);
    await until(() => got.length === 1);
    expect([read.isDecompressing, read.bytesHeld, inflated]).toEqual([false, 0, MAX_BYTES - packed.length]);
  });

  it('counts as one of maximum size if it is too large', async () => {
    const packed = gzipSync(Buffer.alloc(10 * MAX_BYTES));
    reader('gzip').add(frame(packed, 1));
    await until(() => problem !== undefined);
    expect(inflated).toBe(MAX_BYTES - packed.length);
  });

  it('that is damaged ends with INTERNAL', async () => {
    reader('gzip').add(frame('no gzip at all', 1));
    await until(() => problem !== undefined);
    expect(problem).toMatchObject({ code: Code.INTERNAL, message: expect.stringMatching(/not valid gzip/) as unknown });
  });

  it('is ignored after the reader has stopped', async () => {
    const read = reader('gzip');
    read.add(frame(gzipSync('x'), 1));
    read.stop();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([got, problem]).toEqual([[], undefined]);
  });
});
