import { expect, test } from '@jest/globals';
import { HeaderBlock } from './header-block.ts';
import { HeaderCache } from './header-cache.ts';

function offer(cache: HeaderCache, text: string, generation = 0): HeaderBlock {
  const bytes = Buffer.from(text);
  const block = new HeaderBlock();
  cache.offer(bytes, 0, bytes.length, generation, block);
  return block;
}

const get = (cache: HeaderCache, text: string, generation = 0): HeaderBlock | undefined =>
  cache.get(Buffer.from(text), 0, text.length, generation);

test('a block is cached when it is seen for the second time', () => {
  const cache = new HeaderCache();
  offer(cache, 'a');
  expect(get(cache, 'a')).toBeUndefined();
  const block = offer(cache, 'a');
  expect(get(cache, 'a')).toBe(block);
});

test('a block is not found when the dynamic table has changed', () => {
  const cache = new HeaderCache();
  offer(cache, 'a');
  offer(cache, 'a');
  expect(get(cache, 'a', 1)).toBeUndefined();
});

test('blocks that take turns are each found', () => {
  const cache = new HeaderCache();
  const texts = ['first', 'other', 'first', 'longer one', 'other', 'first'];
  for (const text of texts) offer(cache, text);
  const blocks = new Map(['first', 'other', 'longer one'].map((text) => [text, offer(cache, text)]));
  for (const text of texts) expect(get(cache, text)).toBe(blocks.get(text));
});

test('the block that was found last is not found when the dynamic table has changed', () => {
  const cache = new HeaderCache();
  offer(cache, 'a');
  const block = offer(cache, 'a');
  expect([get(cache, 'a'), get(cache, 'a'), get(cache, 'a', 1), get(cache, 'b')]).toEqual([
    ...[block, block],
    ...[undefined, undefined],
  ]);
  offer(cache, 'a', 1);
  const next = offer(cache, 'a', 1);
  expect([get(cache, 'a', 1), get(cache, 'a', 1)]).toEqual([next, next]);
});

test('a list that is too large is not kept', () => {
  const cache = new HeaderCache();
  const block = new HeaderBlock();
  block.isTooLarge = true;
  for (let round = 0; round < 3; round++) cache.offer(Buffer.from('a'), 0, 1, 0, block);
  expect(get(cache, 'a')).toBeUndefined();
});

test('the cached blocks are limited in number and size', () => {
  const cache = new HeaderCache();
  let most = 0;
  for (let index = 0; index < 500; index++) {
    for (let round = 0; round < 3; round++) offer(cache, `${index}`.padEnd(512));
    most = Math.max(most, cache.bytes);
  }
  offer(cache, 'x'.repeat(513));
  offer(cache, 'x'.repeat(513));
  expect(get(cache, 'x'.repeat(513))).toBeUndefined();
  expect(most).toBeLessThanOrEqual(64 * 512 * 3);
});
