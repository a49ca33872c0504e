import { expect, it } from '@jest/globals';
import { FairQueue } from './fair-queue.ts';

it('FairQueue serves owners in turn, and each owner in order', () => {
  const queue = new FairQueue<string>();
  for (let at = 1; at <= 4; at += 1) queue.push('flood', `flood ${at}`);
  queue.push('other', 'other 1');
  queue.push('other', 'other 2');
  const served = Array.from({ length: 7 }, () => queue.shift());
  expect(served).toEqual(['flood 1', 'other 1', 'flood 2', 'other 2', 'flood 3', 'flood 4', undefined]);
  expect(queue.length).toBe(0);
});
