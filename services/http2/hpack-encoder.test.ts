import { expect, test } from '@jest/globals';
import { HpackDecoder } from './hpack-decoder.ts';
import { encodeHeaders } from './hpack-encoder.ts';

const roundTrip = (...blocks: Buffer[]): string[] => {
  const block = Buffer.concat(blocks);
  return [...new HpackDecoder(100_000).decode(block, 0, block.length).list];
};

test('an encoded list decodes to the same list', () => {
  const list = [':status', '200', 'content-type', 'application/grpc', 'x', '', 'grpc-message', 'ä'.repeat(300)];
  expect(roundTrip(encodeHeaders(list))).toEqual(list);
});

test('a list of any length can be encoded, and the next one is not affected', () => {
  const long = ['x', 'y'.repeat(200_000), 'z', '1'];
  expect(new HpackDecoder(1_000_000).decode(encodeHeaders(long), 0, encodeHeaders(long).length).list).toEqual(long);
  expect(roundTrip(encodeHeaders(['a', '1']))).toEqual(['a', '1']);
});

test('a field of the static table takes one byte', () => {
  expect(encodeHeaders([':method', 'POST'])).toEqual(Buffer.from([0x83]));
});

test('blocks can be joined', () => {
  expect(roundTrip(encodeHeaders(['a', '1']), encodeHeaders(['b', '2']))).toEqual(['a', '1', 'b', '2']);
});

test('a secret is marked as never to be indexed', () => {
  expect(encodeHeaders(['authorization', 'x'])[0]! & 0xf0).toBe(0x10);
});

test.each([
  ['a line break in a value', 'x', 'a\r\nb'],
  ['a zero byte in a value', 'x', 'a\0'],
  ['a value that no byte can hold', 'x', '€'],
  ['a capital letter in a name', 'X', 'a'],
  ['an empty name', '', 'a'],
  ['a header of HTTP/1.1', 'connection', 'close'],
])('%s is refused', (_name, name, value) => {
  expect(() => encodeHeaders([name, value])).toThrow(RangeError);
});
