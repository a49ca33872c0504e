import { describe, expect, it } from '@jest/globals';
import { serializer } from './serialize.ts';

/** Writes the characters of a text; "!" makes it throw half-way. */
class TextWriter {
  written = '';

  finish(): Uint8Array {
    const bytes = Buffer.from(this.written);
    this.written = '';
    return bytes;
  }
}

function encode(text: string, writer: TextWriter): TextWriter {
  for (const letter of text) {
    if (letter === '!') throw new Error('cannot be written');
    writer.written += letter;
  }
  return writer;
}

describe('a serializer', () => {
  it('starts every message anew, on one writer', () => {
    let writers = 0;
    const serialize = serializer(encode, () => {
      writers += 1;
      return new TextWriter();
    });
    expect([serialize('one').toString(), serialize('two').toString(), writers]).toEqual(['one', 'two', 1]);
  });

  it('leaves nothing of a message that could not be written in the next one', () => {
    const serialize = serializer(encode, () => new TextWriter());
    expect(() => serialize('half!')).toThrow('cannot be written');
    expect(serialize('whole').toString()).toBe('whole');
  });
});
