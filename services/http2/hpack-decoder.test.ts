import { expect, test } from '@jest/globals';
import { HpackDecoder } from './hpack-decoder.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');

function decoder(maxListBytes = 16_384): (hex: string) => string[] {
  const hpack = new HpackDecoder(maxListBytes);
  return (hex) => {
    const block = bytes(hex);
    return [...hpack.decode(block, 0, block.length).list];
  };
}

const FIRST = [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'www.example.com'];
const SECOND = [...FIRST, 'cache-control', 'no-cache'];
const THIRD = [':method', 'GET', ':scheme', 'https', ':path', '/index.html', ':authority', 'www.example.com'].concat([
  'custom-key',
  'custom-value',
]);

test('three requests without Huffman coding (RFC 7541, C.3)', () => {
  const decode = decoder();
  expect(decode('8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d')).toEqual(FIRST);
  expect(decode('8286 84be 5808 6e6f 2d63 6163 6865')).toEqual(SECOND);
  expect(decode('8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65')).toEqual(THIRD);
});

test('three requests with Huffman coding (RFC 7541, C.4)', () => {
  const decode = decoder();
  expect(decode('8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff')).toEqual(FIRST);
  expect(decode('8286 84be 5886 a8eb 1064 9cbf')).toEqual(SECOND);
  expect(decode('8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf')).toEqual(THIRD);
});

test('three responses that evict entries from a table of 256 bytes (RFC 7541, C.6)', () => {
  const decode = decoder();
  const common = ['cache-control', 'private', 'date', 'Mon, 21 Oct 2013 20:13:21 GMT'];
  const location = ['location', 'https://www.example.com'];
  const [control, isPrivate, date, seconds21] = common;
  expect(
    decode(
      '3fe101 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
    ),
  ).toEqual([':status', '302', ...common, ...location]);
  expect(decode('4883 640e ffc1 c0bf')).toEqual([':status', '307', control, isPrivate, date, seconds21, ...location]);
  expect(
    decode(
      '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
    ),
  ).toEqual(
    [':status', '200', control, isPrivate, date, 'Mon, 21 Oct 2013 20:13:22 GMT', ...location].concat([
      'content-encoding',
      'gzip',
      'set-cookie',
      'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
    ]),
  );
});

test.each([
  ['the index 0', '80'],
  ['an index beyond both tables', 'be'],
  ['a name index beyond both tables', '7e 0161'],
  ['a number with too many bytes', 'ff ffffffffff00'],
  ['a number that does not end', 'ff 80'],
  ['a string that is longer than the block', '400a 6375'],
  ['a literal without its value', '4001 61'],
  ['a table size above the setting', '3fe21f'],
  ['a table size update after a field', '82 20'],
])('%s is refused', (_name, hex) => {
  expect(() => decoder()(hex)).toThrow('a header block is invalid');
});

test('a table size update empties the table', () => {
  const decode = decoder();
  decode('4001 6101 62');
  expect(decode('be')).toEqual(['a', 'b']);
  expect(() => decode('20 3fe11f be')).toThrow('no entry has the index 62');
});

test('an entry larger than the table empties it', () => {
  const decode = decoder();
  decode('4001 6101 62');
  decode('3f01 4001 6101 62');
  expect(() => decode('be')).toThrow('no entry has the index 62');
});

test('a list that is too large is marked, and the dynamic table stays correct', () => {
  const hpack = new HpackDecoder(100);
  const large = bytes(`4001 6101 62 ${'be'.repeat(5)} 4001 6301 64`);
  expect(hpack.decode(large, 0, large.length)).toMatchObject({ isTooLarge: true });
  const next = bytes('be bf');
  expect(hpack.decode(next, 0, 2)).toMatchObject({ isTooLarge: false, list: ['c', 'd', 'a', 'b'] });
});

test('a small block that decodes to a very large list is refused', () => {
  const hpack = new HpackDecoder(16_384);
  const value = Buffer.concat([bytes('4001 61 7f a11e'), Buffer.alloc(4_000, 'x')]);
  hpack.decode(value, 0, value.length);
  const large = hpack.decode(Buffer.alloc(16, 0xbe), 0, 16);
  expect([large.isTooLarge, large.list.length / 2]).toEqual([true, 4]);
  expect(() => hpack.decode(Buffer.alloc(17, 0xbe), 0, 17)).toThrow('a header list has more than 65536 bytes');
});

test('a repeated block gives the same object', () => {
  const hpack = new HpackDecoder(16_384);
  const block = bytes('8286 8401 0161');
  const seen = [1, 2, 3].map(() => hpack.decode(block, 0, block.length));
  expect(seen[2]).toBe(seen[1]);
});

test('a repeated block is decoded again after the dynamic table has changed', () => {
  const decode = decoder();
  decode('4001 6101 62');
  for (let round = 0; round < 3; round++) expect(decode('be')).toEqual(['a', 'b']);
  decode('4001 6301 64');
  expect(decode('be')).toEqual(['c', 'd']);
});
