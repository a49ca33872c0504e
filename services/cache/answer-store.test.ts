import { describe, expect, it } from '@jest/globals';
import { AnswerStore } from './answer-store.ts';

describe('a value of infinite size', () => {
  it('is not stored and does not replace a stored value', () => {
    const sizeOf = (value: string): number => (value === 'degraded' ? Infinity : 0);
    const kept = new AnswerStore<string>({ maxEntries: 10, maxBytes: 1e6, ttlMs: 100, staleMs: 0, sizeOf }, () => 0);
    const data = Buffer.alloc(8);
    kept.set('here', data, 'good');
    kept.set('here', data, 'degraded');
    expect(kept.get('here', data, 0)?.value).toBe('good');
    kept.set('there', data, 'degraded');
    expect(kept.get('there', data, 0)).toBeUndefined();
  });
});

describe('AnswerStore with one entry', () => {
  it('keeps the newest answer', () => {
    const options = { maxEntries: 1, maxBytes: 1e6, ttlMs: 100, staleMs: 0, sizeOf: () => 0 };
    const kept = new AnswerStore<string>(options, () => 0);
    for (const key of ['first', 'last']) kept.set(key, Buffer.alloc(8), key);
    expect([kept.entries, kept.evictions, kept.get('last', Buffer.alloc(8), 0)?.value]).toEqual([1, 1, 'last']);
  });
});

describe('a stored input', () => {
  it.each([10, 100_000])('of %d bytes is copied into a buffer of its own size', (length) => {
    const options = { maxEntries: 10, maxBytes: 1e9, ttlMs: 100, staleMs: 0, sizeOf: () => 0 };
    const kept = new AnswerStore<string>(options, () => 0);
    const view = Buffer.alloc(1e6, 7).subarray(500, 500 + length);
    kept.set('here', view, 'x');
    const { data } = kept.get('here', view, 0)!;
    expect([data.length, data.buffer.byteLength]).toEqual([length, length]);
  });
});

describe('deleteWhere', () => {
  it('deletes matching values and no others', () => {
    const options = { maxEntries: 10, maxBytes: 1e6, ttlMs: 100, staleMs: 0, sizeOf: () => 0 };
    const kept = new AnswerStore<string>(options, () => 0);
    const data = Buffer.alloc(8);
    for (const value of ['lie 1', 'true', 'lie 2']) kept.set(value, data, value);
    kept.deleteWhere((value) => value.startsWith('lie'));
    expect(['lie 1', 'true', 'lie 2'].map((key) => kept.get(key, data, 0)?.value)).toEqual([
      undefined,
      'true',
      undefined,
    ]);
    expect(kept.evictions).toBe(0);
  });
});
