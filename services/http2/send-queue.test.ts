import { expect, test } from '@jest/globals';
import { SendQueue } from './send-queue.ts';

const queueOf = (...texts: string[]): SendQueue => {
  const queue = new SendQueue();
  for (const text of texts) queue.add(Buffer.from(text));
  return queue;
};

test('pieces are taken in order and split', () => {
  const queue = queueOf('abc', '', 'def');
  const taken = [2, 2, 9].map((most) => Buffer.from(queue.take(most)).toString());
  expect(taken).toEqual(['ab', 'c', 'def']);
  expect([queue.bytes, queue.take(9).length]).toEqual([0, 0]);
});

test('many pieces are taken in order', () => {
  const texts = Array.from({ length: 100 }, (_, index) => `${index};`);
  const queue = queueOf(...texts);
  expect(texts.map(() => Buffer.from(queue.take(9)).toString())).toEqual(texts);
});

test('seconds without progress are counted', () => {
  const queue = queueOf('a'.repeat(5_000));
  expect([queue.tick(), queue.tick(), queue.tick()]).toEqual([0, 1, 2]);
  queue.take(1_024);
  expect(queue.tick()).toBe(0);
});

test('a peer that reads only a few bytes at a time makes no progress', () => {
  const queue = queueOf('a'.repeat(5_000));
  for (let second = 0; second < 10; second++) {
    queue.tick();
    queue.take(100);
  }
  expect(queue.tick()).toBe(10);
});
