import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ByteQueue } from './byte-queue.ts';
import { giveLarge, takeLarge } from './spare-buffers.ts';

const MB = 1_048_576;

beforeEach(() => void jest.useFakeTimers());

/** Releases what the test has given. */
afterEach(() => {
  jest.advanceTimersByTime(60_000);
  jest.useRealTimers();
});

describe('a large buffer that was given up', () => {
  it('is used again, once', () => {
    const buffer = Buffer.alloc(MB);
    giveLarge(buffer);
    expect(takeLarge(MB)).toBe(buffer);
    expect(takeLarge(MB)).not.toBe(buffer);
  });

  it('is used for at least half of its size', () => {
    const buffer = Buffer.alloc(MB);
    giveLarge(buffer);
    expect(takeLarge(MB / 2 - 1)).toHaveLength(MB / 2 - 1);
    expect(takeLarge(MB + 1)).toHaveLength(MB + 1);
    expect(takeLarge(MB / 2)).toBe(buffer);
  });

  it('is freed after a while', () => {
    const buffer = Buffer.alloc(MB);
    giveLarge(buffer);
    jest.advanceTimersByTime(60_000);
    expect(takeLarge(MB)).not.toBe(buffer);
    expect(buffer).toHaveLength(0);
  });

  it('is freed at once beyond 32 MB in all', () => {
    const buffers = Array.from({ length: 40 }, () => Buffer.alloc(MB));
    for (const buffer of buffers) giveLarge(buffer);
    const kept = new Set<Buffer>(buffers);
    expect(Array.from({ length: 40 }, () => takeLarge(MB)).filter((buffer) => kept.has(buffer))).toHaveLength(32);
    expect(buffers.filter(({ length }) => length === 0)).toHaveLength(8);
  });
});

it('a small buffer is not kept', () => {
  const buffer = Buffer.alloc(1_000);
  giveLarge(buffer);
  expect(takeLarge(1_000)).not.toBe(buffer);
});

describe('ByteQueue', () => {
  const half = Buffer.alloc(MB / 2, 1);

  it('gives up the memory of bytes that are dropped', () => {
    const queue = new ByteQueue();
    queue.add(half, MB);
    const { buffer } = queue.view();
    queue.clear();
    expect(takeLarge(MB).buffer).toBe(buffer);
  });

  it('keeps the memory of bytes that were taken', () => {
    const queue = new ByteQueue();
    queue.add(half, MB);
    queue.add(half, MB);
    const taken = queue.take();
    queue.clear();
    expect(takeLarge(MB).buffer).not.toBe(taken.buffer);
    expect(taken).toHaveLength(MB);
  });
});
