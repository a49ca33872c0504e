import { describe, expect, it } from '@jest/globals';
import { KeptAnswers } from './kept-answers.ts';

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
