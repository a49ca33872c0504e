import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { describe, expect, it } from '@jest/globals';
import { MessageLimits, scan } from './wire-scan.ts';

const limits = new MessageLimits({
  1: { name: 'names', times: 2, bytes: 3 },
  2: { name: 'numbers', numbers: 4 },
  3: { name: 'parts', times: 2, within: new MessageLimits({ 1: { name: 'small parts', times: 1 } }) },
});

const bytesOf = (write: (writer: BinaryWriter) => void): Uint8Array => {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
};
const part = (writer: BinaryWriter, ...smallParts: number[]): void => {
  const within = writer.uint32(26).fork();
  for (const each of smallParts) within.uint32(8).uint32(each);
  within.join();
};
const packed = (writer: BinaryWriter, ...numbers: number[]): void => {
  const within = writer.uint32(18).fork();
  for (const each of numbers) within.uint32(each);
  within.join();
};

describe('scan', () => {
  it.each<[string, (writer: BinaryWriter) => void]>([
    ['an empty message', () => undefined],
    ['as many fields as the limit', (w) => w.uint32(10).string('abc').uint32(10).string('')],
    ['as many packed numbers as the limit, of any length', (w) => packed(w, 300, 70_000, 2 ** 31, 1)],
    ['as many unpacked numbers as the limit', (w) => [1, 2, 3, 4].forEach((each) => w.uint32(16).uint32(each))],
    ['as many fields as the limit in each part', (w) => [1, 2].forEach((each) => part(w, each))],
    [
      'unknown fields',
      (w) =>
        w
          .uint32(80)
          .uint64(2n ** 64n - 1n)
          .uint32(89)
          .fixed64(1)
          .uint32(93)
          .fixed32(1),
    ],
  ])('accepts %s', (_, write) => {
    expect(() => scan(bytesOf(write), limits)).not.toThrow();
  });

  it.each<[string, (writer: BinaryWriter) => void]>([
    ['more than 2 names', (w) => [1, 2, 3].forEach(() => w.uint32(10).string(''))],
    ['more than 3 bytes of names', (w) => w.uint32(10).string('abcd')],
    ['more than 4 numbers', (w) => packed(w, 1, 2, 3, 4, 5)],
    ['more than 4 numbers', (w) => [1, 2, 3].forEach(() => packed(w, 1, 2))],
    ['more than 4 numbers', (w) => [1, 2, 3, 4, 5].forEach(() => packed(w))],
    ['more than 4 numbers', (w) => [1, 2, 3, 4, 5].forEach((each) => w.uint32(16).uint32(each))],
    ['more than 1 small parts', (w) => part(w, 1, 2)],
    ['too many fields', (w) => Array.from({ length: 65 }, () => w.uint32(80).uint32(1))],
  ])('refuses %s', (why, write) => {
    expect(() => scan(bytesOf(write), limits)).toThrow(why);
  });

  it.each([
    ['a field is longer than its message', '0a05'],
    ['a field is longer than its message', '1a050a0561'],
    ['a number does not end', '80'],
    ['a number does not end', '10ffffffffffffffffffffff'],
    ['a tag that is none', 'ffffffffffffff01'],
    ['a field of the unknown wire type 3', '0b'],
  ])('reports: %s', (why, hex) => {
    expect(() => scan(Buffer.from(hex, 'hex'), limits)).toThrow(why);
  });
});
