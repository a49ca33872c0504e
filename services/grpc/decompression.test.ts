import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { decompress } from './decompression.ts';

const MAX_BYTES = 100_000;
const SOME_MB = 2_000_000;
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
    const bytes = gzipSync(Buffer.alloc(SOME_MB, 'a'));
    const { message, grownBytes } = await decompressed(bytes);
    expect([message.length, message.buffer.byteLength]).toEqual([SOME_MB, SOME_MB + 1]);
    expect(grownBytes).toBe(SOME_MB - bytes.length);
  });

  it.each([0, 20_000, SOME_MB, SOME_MB + 1, 0xffff_ffff])(
    'does not keep memory for a wrong claim of %d bytes',
    async (claim) => {
      const bytes = gzipSync(Buffer.alloc(40_000, 'a'));
      const { message } = await decompressed(Buffer.concat([bytes, Buffer.alloc(4_096), claimOf(claim)]));
      expect(message.equals(Buffer.alloc(40_000, 'a'))).toBe(true);
      expect(message.buffer.byteLength).toBeLessThanOrEqual(262_144);
    },
  );

  it('counts the memory that a wrong claim took', async () => {
    const bytes = Buffer.concat([gzipSync('a'), Buffer.alloc(4_096), claimOf(SOME_MB)]);
    expect((await decompressed(bytes)).grownBytes).toBe(SOME_MB - bytes.length);
  });
});

/** The last bytes are the claim; zlib ignores what follows the end of a message. */
function claimOf(bytes: number): Buffer {
  const claim = Buffer.alloc(4);
  claim.writeUInt32LE(bytes);
  return claim;
}

async function decompressed(bytes: Buffer): Promise<{ message: Buffer; grownBytes: number }> {
  const { promise, resolve } = Promise.withResolvers<{ message: Buffer; grownBytes: number }>();
  const done = (message: Buffer | undefined, _: unknown, grownBytes: number): void =>
    resolve({ message: message!, grownBytes });
  decompress({ bytes, encoding: 'gzip', maxBytes: SOME_MB, owner: alice, isWanted: () => true, done });
  return await promise;
}
