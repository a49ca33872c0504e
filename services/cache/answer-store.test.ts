import { describe, expect, it } from '@jest/globals';
import { AnswerStore, ENTRY_OVERHEAD_BYTES } from './answer-store.ts';

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

describe('copyOf', () => {
  it('makes the value that is kept', () => {
    const options = { maxEntries: 10, maxBytes: 1e6, ttlMs: 100, staleMs: 0, sizeOf: () => 0 };
    const kept = new AnswerStore<string>({ ...options, copyOf: (value) => `copy of ${value}` }, () => 0);
    kept.set('here', Buffer.alloc(8), 'x');
    expect(kept.get('here', Buffer.alloc(8), 0)?.value).toBe('copy of x');
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

describe('the memory of an entry', () => {
  const entry = ENTRY_OVERHEAD_BYTES + 8 + 52;
  const limited = (maxBytes: number): AnswerStore<string> =>
    new AnswerStore({ maxEntries: 10, maxBytes, ttlMs: 100, staleMs: 0, sizeOf: () => 52 }, () => 0);
  const data = Buffer.alloc(8);

  it('may be the whole limit, and not a byte more', () => {
    const [exact, less] = [limited(entry), limited(entry - 1)];
    for (const kept of [exact, less]) kept.set('here', data, 'x');
    expect([exact.entries, exact.bytes, less.entries]).toEqual([1, entry, 0]);
  });

  it('is freed when a value that does not fit replaces it', () => {
    const sizeOf = (value: string): number => value.length;
    const kept = new AnswerStore<string>({ maxEntries: 9, maxBytes: 1_000, ttlMs: 100, staleMs: 0, sizeOf }, () => 0);
    kept.set('here', data, 'small');
    kept.set('here', data, 'x'.repeat(1_000));
    expect([kept.entries, kept.bytes, kept.evictions]).toEqual([0, 0, 0]);
  });

  it('lets in as many entries as fit', () => {
    const kept = new AnswerStore<string>(
      { maxEntries: 100, maxBytes: 3 * ENTRY_OVERHEAD_BYTES, ttlMs: 100, staleMs: 0, sizeOf: () => 0 },
      () => 0,
    );
    for (const key of ['a', 'b', 'c', 'd']) kept.set(key, new Uint8Array(0), key);
    expect([kept.entries, kept.evictions]).toEqual([3, 1]);
  });
});

describe('the time of an entry', () => {
  it.each([
    [0, 1, 1],
    [1, 0, 1],
    [0, 0, 0],
  ])('of %d ms fresh and %d ms stale keeps %d entries', (ttlMs, staleMs, entries) => {
    const kept = new AnswerStore<string>({ maxEntries: 10, maxBytes: 1e6, ttlMs, staleMs, sizeOf: () => 0 }, () => 0);
    kept.set('here', Buffer.alloc(8), 'x');
    expect(kept.entries).toBe(entries);
  });

  it('starts when it is stored', () => {
    const kept = new AnswerStore<string>(
      { maxEntries: 10, maxBytes: 1e6, ttlMs: 100, staleMs: 30, sizeOf: () => 0 },
      () => 5_000,
    );
    kept.set('here', Buffer.alloc(8), 'x');
    expect(kept.get('here', Buffer.alloc(8), 5_129)).toMatchObject({ freshUntilMs: 5_100, staleUntilMs: 5_130 });
    expect(kept.get('here', Buffer.alloc(8), 5_130)).toBeUndefined();
  });
});
