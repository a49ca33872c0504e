import { expect, test } from '@jest/globals';
import { decodeHuffman } from './huffman.ts';

const decode = (hex: string): string => {
  const bytes = Buffer.from(hex, 'hex');
  return decodeHuffman(bytes, 0, bytes.length);
};

// The strings of RFC 7541, appendices C.4 and C.6.
test.each([
  ['f1e3c2e5f23a6ba0ab90f4ff', 'www.example.com'],
  ['a8eb10649cbf', 'no-cache'],
  ['25a849e95ba97d7f', 'custom-key'],
  ['25a849e95bb8e8b4bf', 'custom-value'],
  ['6402', '302'],
  ['aec3771a4b', 'private'],
  ['d07abe941054d444a8200595040b8166e082a62d1bff', 'Mon, 21 Oct 2013 20:13:21 GMT'],
  [
    '94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
    'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
  ],
])('%s decodes to %s', (hex, text) => {
  expect(decode(hex)).toBe(text);
});

test('a symbol with a code of 30 bits is decoded', () => {
  // "\n" is 30 bits, then two bits of padding.
  expect(decode('fffffff3')).toBe('\n');
});

test('every byte can be decoded', () => {
  // "a" and 0xff: 00011, then the 26 bits of 255, and one bit of padding.
  expect(decode('1fffffdd').charCodeAt(1)).toBe(255);
});

test('the empty string is decoded', () => {
  expect(decode('')).toBe('');
});

test.each([
  ['the end-of-string symbol', 'ffffffff'],
  ['padding of eight bits', '1fff'],
  ['padding that is not all ones', '18'],
])('%s is refused', (_name, hex) => {
  expect(() => decode(hex)).toThrow('a Huffman-coded string is invalid');
});
