import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LineSplitter, LineTooLong } from './line-splitter.ts';

const lines = (splitter: LineSplitter, chunk: string): string[] => [...splitter.push(Buffer.from(chunk))].map(String);

describe('LineSplitter', () => {
  it('returns the same lines however the bytes are split', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[ -~]{0,8}$/)), fc.infiniteStream(fc.nat(5)), (texts, sizes) => {
        const wanted = texts;
        const splitter = new LineSplitter(100);
        let rest = Buffer.from(wanted.map((text) => `${text}\n`).join(''));
        const got: string[] = [];
        for (const size of sizes) {
          if (rest.length === 0) break;
          got.push(...lines(splitter, String(rest.subarray(0, size))).map(String));
          rest = rest.subarray(size);
        }
        expect(got).toEqual(wanted);
      }),
    );
  });

  it.each([['123456'], ['12345\n123456']])('refuses a line above the limit: %j', (chunk) => {
    expect(() => lines(new LineSplitter(5), chunk)).toThrow(LineTooLong);
  });

  it('refuses a line above the limit before its end arrives', () => {
    const splitter = new LineSplitter(5);
    expect(lines(splitter, '123')).toEqual([]);
    expect(() => lines(splitter, '456')).toThrow(LineTooLong);
  });

  it('accepts a line of exactly the limit, and counts each line anew', () => {
    expect(lines(new LineSplitter(5), '12345\n12345\n1234')).toEqual(['12345', '12345']);
  });

  it('returns no line before its end arrives', () => {
    const splitter = new LineSplitter(5);
    expect([lines(splitter, '1'), lines(splitter, '2'), lines(splitter, '\n')]).toEqual([[], [], ['12']]);
  });
});
