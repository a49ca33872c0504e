import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { WireWriter } from './wire-writer.ts';

const writer = new WireWriter();

function written(write: (to: WireWriter) => void): Buffer {
  writer.reset();
  write(writer);
  return writer.copy();
}

const anyText = fc.string({ unit: 'grapheme', maxLength: 300 });

describe('WireWriter', () => {
  it('encodes each kind of field like protobuf’s own writer', () => {
    const anyFields = fc.record({
      number: fc.nat({ max: 2 ** 32 - 1 }),
      big: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      real: fc.float({ noNaN: true, noDefaultInfinity: true }),
      text: anyText,
      floats: fc.array(fc.float(), { maxLength: 100 }),
      numbers: fc.array(fc.nat({ max: 2 ** 32 - 1 }), { maxLength: 100 }),
    });
    fc.assert(
      fc.property(anyFields, ({ number, big, real, text, floats, numbers }) => {
        const ours = written((to) => {
          to.number(8, number);
          to.big(16, big);
          to.fixed64(25, big);
          to.double(33, real);
          to.float(45, real);
          to.text(50, text);
          to.floats(58, floats);
          to.numbers(66, numbers);
        });
        const theirs = new BinaryWriter();
        if (number !== 0) theirs.uint32(8).uint32(number);
        if (big !== 0n) theirs.uint32(16).uint64(big).uint32(25).fixed64(big);
        if (real !== 0) theirs.uint32(33).double(real).uint32(45).float(real);
        if (text !== '') theirs.uint32(50).string(text);
        if (floats.length > 0) {
          theirs.uint32(58).fork();
          for (const each of floats) theirs.float(each);
          theirs.join();
        }
        if (numbers.length > 0) {
          theirs.uint32(66).fork();
          for (const each of numbers) theirs.uint32(each);
          theirs.join();
        }
        expect(ours.equals(theirs.finish())).toBe(true);
      }),
    );
  });

  it.each([0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])(
    'encodes %i nested bytes with their length',
    (length) => {
      const inner = Buffer.alloc(length, 7);
      const ours = written((to) => {
        to.varint(10);
        const start = to.begin();
        to.raw(inner);
        to.end(start);
      });
      expect(ours.equals(new BinaryWriter().uint32(10).bytes(inner).finish())).toBe(true);
      expect(written((to) => to.bytes(10, inner)).equals(ours)).toBe(true);
      const foreseen = written((to) => {
        to.varint(10);
        const atLeast = length >> 1;
        const start = to.begin(atLeast);
        to.raw(inner);
        to.end(start, atLeast);
      });
      expect(foreseen.equals(ours)).toBe(true);
    },
  );

  it('returns copies that later messages do not change', () => {
    const first = written((to) => to.text(10, 'first'));
    const own = writer.ownCopy();
    written((to) => to.text(10, 'other'));
    expect(first.toString('latin1')).toBe('\n\u0005first');
    expect(Buffer.from(own).toString('latin1')).toBe('\n\u0005first');
  });
});
