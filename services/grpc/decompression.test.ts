import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { decompress } from './decompression.ts';

const MAX_BYTES = 100_000;
const alice = {};
const bob = {};

let ended: string[];
let all: Promise<unknown>[];

beforeEach(() => {
  ended = [];
  all = [];
});

function add(owner: object, name: string, isWanted = (): boolean => true): void {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const bytes = gzipSync(Buffer.alloc(MAX_BYTES, name));
  const done = (message: Buffer | undefined): void => {
    ended.push(message!.toString('latin1', 0, name.length));
    resolve(undefined);
  };
  decompress({ bytes, encoding: 'gzip', maxBytes: MAX_BYTES, owner, isWanted, done });
  all.push(promise);
}

describe('decompress', () => {
  it('serves owners in turn, and the messages of one in order', async () => {
    for (const name of ['a1', 'a2', 'a3']) add(alice, name);
    add(bob, 'b1');
    await Promise.all(all);
    expect(ended).toEqual(['a1', 'a2', 'b1', 'a3']);
  });

  it('starts no other one meanwhile', async () => {
    let isStarted = false;
    add(alice, 'a1');
    add(bob, 'b1', () => (isStarted = true));
    expect(isStarted).toBe(false);
    await Promise.all(all);
    expect(isStarted).toBe(true);
  });

  it('leaves out messages that nobody waits for any more', async () => {
    add(alice, 'a1');
    let isWanted = true;
    add(alice, 'a2', () => isWanted);
    add(alice, 'a3');
    isWanted = false;
    await Promise.all([all[0], all[2]]);
    expect(ended).toEqual(['a1', 'a3']);
  });

  it('continues after a damaged message', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const bytes = Buffer.from('damaged');
    const done = (_: unknown, problem: { message: string } | undefined): void => resolve(problem!.message);
    decompress({ bytes, encoding: 'deflate', maxBytes: MAX_BYTES, owner: alice, isWanted: () => true, done });
    add(alice, 'a1');
    expect(await promise).toMatch(/not valid deflate/);
    await Promise.all(all);
    expect(ended).toEqual(['a1']);
  });

  it('makes one piece of memory of a message, of the size that gzip claims', async () => {
    const message = await decompressed(gzipSync(Buffer.alloc(MAX_BYTES, 'a')));
    expect([message.length, message.buffer.byteLength]).toEqual([MAX_BYTES, MAX_BYTES + 1]);
  });

  it.each([0, 20_000, MAX_BYTES, MAX_BYTES + 1, 0xffff_ffff])('does not trust a claim of %d bytes', async (claim) => {
    const bytes = gzipSync(Buffer.alloc(40_000, 'a'));
    const message = await decompressed(Buffer.concat([bytes, claimOf(claim)]));
    expect(message.equals(Buffer.alloc(40_000, 'a'))).toBe(true);
    expect(message.buffer.byteLength).toBeLessThanOrEqual(80_000);
  });
});

/** Bytes after the end of a message, which zlib ignores. */
function claimOf(bytes: number): Buffer {
  const claim = Buffer.alloc(8);
  claim.writeUInt32LE(bytes, 4);
  return claim;
}

async function decompressed(bytes: Buffer): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const done = (message: Buffer | undefined): void => resolve(message!);
  decompress({ bytes, encoding: 'gzip', maxBytes: MAX_BYTES, owner: alice, isWanted: () => true, done });
  return await promise;
}
