import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { escapeMessage, unescapeMessage } from './message-text.ts';

describe('grpc-message', () => {
  it.each([
    ['plain text, as it is', 'plain text, as it is'],
    ['100 %', '100 %25'],
    ['a\nb\t☺', 'a%0Ab%09%E2%98%BA'],
  ])('escapes %j as %j', (text, escaped) => {
    expect([escapeMessage(text), unescapeMessage(escaped)]).toEqual([escaped, text]);
  });

  it.each([
    ['%', '%'],
    ['%4', '%4'],
    ['%zz%41', '%zzA'],
    ['%C3', '\ufffd'],
  ])('decodes the malformed %j as %j', (escaped, text) => {
    expect(unescapeMessage(escaped)).toBe(text);
  });

  it('decodes every text that it escapes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const escaped = escapeMessage(text);
        expect(escaped).toMatch(/^[\x20-\x7e]*$/);
        expect(unescapeMessage(escaped)).toBe(text);
      }),
    );
  });
});
