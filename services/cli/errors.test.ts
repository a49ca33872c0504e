import { afterEach, expect, it, jest } from '@jest/globals';
import { failWith } from './errors.ts';

afterEach(() => {
  jest.restoreAllMocks();
  process.exitCode = 0;
});

it('failWith escapes control characters of the message and keeps its line breaks', () => {
  const written: string[] = [];
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  failWith(new Error('cannot read a\u001b[2J\u202e.json\nmend it'), '', false);
  expect(written).toEqual(['tandem: cannot read a\\u{1b}[2J\\u{202e}.json\nmend it\n']);
});
