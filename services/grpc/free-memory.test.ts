import { expect, it } from '@jest/globals';
import { freeMemory } from './free-memory.ts';

const SIZE = 200_000;

it('frees the memory of a large buffer, and its views become empty', () => {
  const whole = Buffer.allocUnsafeSlow(SIZE);
  const view = whole.subarray(10);
  freeMemory(view);
  expect([whole.length, view.length]).toEqual([0, 0]);
});

it('leaves memory of which the bytes are a small part, since others may have the rest', () => {
  const whole = Buffer.allocUnsafeSlow(3 * SIZE);
  freeMemory(whole.subarray(0, SIZE));
  expect(whole).toHaveLength(3 * SIZE);
});

it('leaves small memory', () => {
  const small = Buffer.allocUnsafeSlow(1_000);
  freeMemory(small);
  expect(small).toHaveLength(1_000);
});

it('may be called twice', () => {
  const bytes = Buffer.allocUnsafeSlow(SIZE);
  freeMemory(bytes);
  expect(() => freeMemory(bytes)).not.toThrow();
});
