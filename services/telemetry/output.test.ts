import { beforeEach, describe, expect, it } from '@jest/globals';
import { Output } from './output.ts';

class Pipe {
  writableLength = 0;
  written = '';
  fail: () => void = () => undefined;

  on(_event: 'error', listener: () => void): void {
    this.fail = listener;
  }

  write(text: string): boolean {
    this.written += text;
    return true;
  }
}

let pipe: Pipe;
let output: Output;

beforeEach(() => {
  pipe = new Pipe();
  output = new Output(pipe);
});

describe('the output of the log', () => {
  it('drops and counts lines while its reader is blocked, and reports them later', () => {
    pipe.writableLength = 2_000_000;
    for (let n = 0; n < 3; n += 1) output.write('lost\n');
    expect([pipe.written, output.dropped]).toEqual(['', 3]);
    pipe.writableLength = 0;
    output.write('first\n');
    output.write('second\n');
    expect(pipe.written).toBe('tandem: 3 lines of the log were dropped here: its reader was too slow\nfirst\nsecond\n');
  });

  it('writes nothing to a pipe without a reader', () => {
    pipe.fail();
    output.write('lost\n');
    expect([pipe.written, output.dropped]).toEqual(['', 1]);
  });
});
