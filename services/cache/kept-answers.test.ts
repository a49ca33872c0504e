import { describe, expect, it } from '@jest/globals';
import { KeptAnswers } from './kept-answers.ts';

describe('a value that is not to be kept', () => {
  it('replaces nothing: the good one that was kept stays', () => {
    const sizeOf = (value: string): number => (value === 'degraded' ? Infinity : 0);
    const kept = new KeptAnswers<string>({ maxEntries: 10, maxBytes: 1e6, ttlMs: 100, staleMs: 0, sizeOf }, () => 0);
    const data = Buffer.alloc(8);
    kept.keep('here', data, 'good');
    kept.keep('here', data, 'degraded');
    expect(kept.find('here', data, 0)?.value).toBe('good');
    kept.keep('there', data, 'degraded');
    expect(kept.find('there', data, 0)).toBeUndefined();
  });
});

describe('a kept input', () => {
  it.each([10, 100_000])('of %d bytes is a copy of its own, which keeps no larger buffer alive', (length) => {
    const options = { maxEntries: 10, maxBytes: 1e9, ttlMs: 100, staleMs: 0, sizeOf: () => 0 };
    const kept = new KeptAnswers<string>(options, () => 0);
    const view = Buffer.alloc(1e6, 7).subarray(500, 500 + length);
    kept.keep('here', view, 'x');
    const { data } = kept.find('here', view, 0)!;
    expect([data.length, data.buffer.byteLength]).toEqual([length, length]);
  });
});

describe('values that turn out to be wrong', () => {
  it('are forgotten wherever they are, and no others', () => {
    const options = { maxEntries: 10, maxBytes: 1e6, ttlMs: 100, staleMs: 0, sizeOf: () => 0 };
    const kept = new KeptAnswers<string>(options, () => 0);
    const data = Buffer.alloc(8);
    for (const value of ['lie 1', 'true', 'lie 2']) kept.keep(value, data, value);
    kept.forgetWhere((value) => value.startsWith('lie'));
    expect(['lie 1', 'true', 'lie 2'].map((place) => kept.find(place, data, 0)?.value)).toEqual([
      undefined,
      'true',
      undefined,
    ]);
    expect(kept.evictions).toBe(0);
  });
});
