import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { describe, expect, it } from '@jest/globals';
import { InferItem, InferStreamRequest } from '../../generated/tandem/engine/v1/engine.ts';
import { xxh64 } from '../xxh64.ts';
import { withRoom } from '../../../test/fakes/with-room.ts';
import { EMPTY_CHECKSUM, isSealed, seal } from './message-checksum.ts';

const message = InferStreamRequest.fromPartial({ items: [{ id: 7n, model: 'm', data: Buffer.alloc(40, 3) }] });
const plain = Buffer.from(InferStreamRequest.encode(message).finish());

const sealedWith = (seed: bigint): Buffer =>
  seal(Buffer.from(withRoom(InferStreamRequest.encode)(message, new BinaryWriter()).finish()), seed);

function withChangedBit(bytes: Buffer, bit: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[bit >> 3]! ^= 1 << (bit & 7);
  return changed;
}

describe('the checksum of a message', () => {
  it('is its last field', () => {
    const sealed = sealedWith(5n);
    const checksum = xxh64(plain, 5n);
    expect(sealed.length).toBe(plain.length + 9);
    expect(sealed.subarray(0, plain.length)).toEqual(plain);
    expect([sealed[plain.length], sealed.readBigUInt64LE(plain.length + 1)]).toEqual([0x79, checksum]);
    expect(InferStreamRequest.decode(sealed)).toMatchObject({ items: [{ id: 7n }], checksum });
  });

  it('is wrong if any bit is changed', () => {
    const sealed = sealedWith(0n);
    expect(isSealed(sealed, 0n)).toBe(true);
    for (let bit = 0; bit < sealed.length * 8; bit += 1) expect(isSealed(withChangedBit(sealed, bit), 0n)).toBe(false);
  });

  it('is wrong at another position of the stream', () => {
    expect([isSealed(sealedWith(4n), 4n), isSealed(sealedWith(4n), 5n)]).toEqual([true, false]);
  });

  it('is not found in messages without one', () => {
    for (let length = 0; length <= plain.length; length += 1)
      expect(isSealed(plain.subarray(0, length), 0n)).toBe(false);
  });

  it('is right for an empty message', () => {
    const sealed = seal(Buffer.from(EMPTY_CHECKSUM), 3n);
    expect([isSealed(sealed, 3n), isSealed(sealed, 2n), EMPTY_CHECKSUM.length]).toEqual([true, false, 9]);
  });

  it('is right for messages hashed in chunks', () => {
    const large = { items: [InferItem.fromPartial({ data: Buffer.alloc(2_500_000, 9) })], cancelIds: [], checksum: 0n };
    const bytes = Buffer.from(withRoom(InferStreamRequest.encode)(large, new BinaryWriter()).finish());
    expect(isSealed(seal(bytes, 1n), 1n)).toBe(true);
    expect(isSealed(withChangedBit(bytes, 8 * 2_000_000), 1n)).toBe(false);
  });
});
