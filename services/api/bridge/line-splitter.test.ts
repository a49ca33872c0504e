import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LineSplitter, LineTooLong } from './line-splitter.ts';

const lines = (splitter: LineSplitter, chunk: string): string[] => [...splitter.push(Buffer.from(chunk))].map(String);

describe('lines of a byte stream', () => {
  it('are the same however the bytes are cut', () => {
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

  it.each([['123456'], ['12345\n123456']])('are refused beyond their limit: %j', (chunk) => {
    expect(() => lines(new LineSplitter(5), chunk)).toThrow(LineTooLong);
  });

  it('are refused before their end comes', () => {
    const splitter = new LineSplitter(5);
    expect(lines(splitter, '123')).toEqual([]);
    expect(() => lines(splitter, '456')).toThrow(LineTooLong);
  });
});
