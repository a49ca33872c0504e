import { expect, it } from '@jest/globals';
import { Page } from './page.ts';

it('records the claims that do not hold', () => {
  const lines: string[] = [];
  const page = new Page((text) => lines.push(text));
  page.claim('one is one', true);
  page.claim('one is two', false);
  expect(page.broken).toEqual(['one is two']);
  expect(lines.join('')).toContain('NOT TRUE');
});
