import { describe, expect, it } from '@jest/globals';
import { UUID_CHARS, putUuid, randomUuid } from './random-uuid.ts';

const VERSION_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('randomUuid', () => {
  it('returns UUIDs of version 4, each different', () => {
    const made = Array.from({ length: 1_000 }, randomUuid);
    for (const each of made) expect(each).toMatch(VERSION_4);
    expect(new Set(made).size).toBe(1_000);
  });

  it('takes every digit that the version leaves free at random', () => {
    const seen = Array.from({ length: UUID_CHARS }, () => new Set<string>());
    for (let k = 0; k < 1_000; k += 1) {
      const made = randomUuid();
      for (const [at, digits] of seen.entries()) digits.add(made[at]!);
    }
    const fixed = new Map([8, 13, 18, 23, 14].map((at) => [at, 1]));
    expect(seen.map(({ size }) => size)).toEqual(seen.map((_, at) => fixed.get(at) ?? (at === 19 ? 4 : 16)));
  });
});

describe('putUuid', () => {
  it('writes its characters and no others', () => {
    const bytes = Buffer.alloc(UUID_CHARS + 4, '.');
    putUuid(bytes, 2);
    const text = bytes.toString('latin1');
    expect(text.slice(2, -2)).toMatch(VERSION_4);
    expect([text.slice(0, 2), text.slice(-2)]).toEqual(['..', '..']);
  });
});
