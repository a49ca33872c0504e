import { describe, expect, it } from '@jest/globals';
import { table } from './table.ts';

const HEAD = ['ENGINE', 'ADDRESS', 'ANSWERED', 'BUILD'];
const ROWS = [
  ['local', 'in this process', 1, 'a1b2c3d'],
  ['engine-1', 'unix:/run/user/1000/tandem/a-long-name/engine-1.sock', 12_345, 'a1b2c3d'],
];

const widest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length));

describe('table', () => {
  it('aligns its columns, numbers to the right', () => {
    expect(table(['ID', 'COUNT'], [['a', 1], ['long', 10]], Infinity)).toBe('ID    COUNT\na         1\nlong     10'); // prettier-ignore
  });

  it('shortens the longest text if the terminal is too narrow', () => {
    const text = table(HEAD, ROWS, 60);
    expect(text).toMatch(/^engine-1 {2}unix:\/run\/user\/1000\/tandem\/a-l… +12345 {2}a1b2c3d$/m);
    expect(widest(text)).toBe(60);
  });

  it('drops columns if shortening is not enough, and names them', () => {
    const text = table(HEAD, ROWS, 34);
    expect(text).toMatch(/^ENGINE +ADDRESS +ANSWERED\n/);
    expect(text).toMatch(/\n\(BUILD: with a wider terminal/);
  });

  it.each([1, 8, 20, 33, 34, 61, 200])('fits the width of the terminal, but keeps its first column: %d', (width) => {
    expect(widest(table(HEAD, ROWS, width))).toBeLessThanOrEqual(Math.max(width, 8));
  });

  it('prints only the header without rows', () => {
    expect(table(HEAD, [], 80)).toBe('ENGINE  ADDRESS  ANSWERED  BUILD');
  });
});
