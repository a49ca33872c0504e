import { expect, test } from '@jest/globals';
import { HeaderBlock } from './header-block.ts';
import { isValidValue, kindOf } from './header-rules.ts';

function block(text: string): HeaderBlock {
  const result = new HeaderBlock();
  for (const field of text.split('; ')) {
    const [name, value] = field.split('=') as [string, string];
    result.add(name, value, kindOf(name), isValidValue(value));
  }
  return result;
}

const REQUEST = ':method=POST; :scheme=http; :path=/a';

test.each([
  [REQUEST],
  [`${REQUEST}; :authority=a; te=trailers; content-length=3; content-length=3`],
  [':method=OPTIONS; :scheme=http; :path=*'],
  [':method=CONNECT; :authority=a:1'],
  [`${REQUEST}; x=tab\tinside`],
])('%s is a valid request', (text) => {
  expect(block(text).requestFault).toBeUndefined();
});

test.each([
  [':scheme=http; :path=/a', 'no :method'],
  [':method=GET; :path=/a', 'no :scheme or no :path'],
  [':method=GET; :scheme=http', 'no :scheme or no :path'],
  [':method=GET; :scheme=http; :path=', ':path does not begin with a slash'],
  [`${REQUEST}; :path=/b`, ':path twice'],
  [`${REQUEST}; x=1; :authority=a`, ':authority after a regular field'],
  [`${REQUEST}; :status=200`, ':status in a request'],
  [`${REQUEST}; :unknown=1`, 'a field name that is not allowed'],
  [`${REQUEST}; X=1`, 'a field name that is not allowed'],
  [`${REQUEST}; a b=1`, 'a field name that is not allowed'],
  [`${REQUEST}; x= leading`, 'the value of x has a character that is not allowed'],
  [`${REQUEST}; x=a\nb`, 'the value of x has a character that is not allowed'],
  [`${REQUEST}; connection=close`, 'connection, which belongs to HTTP/1.1'],
  [`${REQUEST}; transfer-encoding=chunked`, 'transfer-encoding, which belongs to HTTP/1.1'],
  [`${REQUEST}; te=gzip`, 'te other than trailers'],
  [`${REQUEST}; content-length=-1`, 'content-length is invalid'],
  [`${REQUEST}; content-length=1; content-length=2`, 'content-length is invalid'],
  [`:method=CONNECT; :scheme=http; :path=/; :authority=a`, 'a CONNECT request has :method and :authority only'],
  [':method=CONNECT', 'a CONNECT request has :method and :authority only'],
])('%j is not a valid request', (text, fault) => {
  expect(block(text).requestFault).toBe(fault);
});

test('a response has :status and no other pseudo-header', () => {
  expect(block(':status=200; x=1').responseFault).toBeUndefined();
  expect(block(':status=200; :path=/').responseFault).toBe('a response has exactly one pseudo-header, :status');
  expect(block('x=1').responseFault).toBe('a response has exactly one pseudo-header, :status');
  expect(block(':status=20').responseFault).toBe(':status is not a number of three digits');
});

test('trailers have no pseudo-header', () => {
  expect(block('grpc-status=0').trailersFault).toBeUndefined();
  expect(block(':status=200').trailersFault).toBe('a pseudo-header in trailers');
});

test('get returns the first value of a name', () => {
  const headers = block('a=1; b=2; a=3');
  expect([headers.get('a'), headers.get('b'), headers.get('1')]).toEqual(['1', '2', undefined]);
});
