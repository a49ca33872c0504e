import { describe, expect, it } from '@jest/globals';
import { stripVTControlCharacters } from 'node:util';
import { type Column, columns, parts } from './columns.ts';

interface Row {
  readonly name: string;
  readonly count: number;
}

const ROWS: Row[] = [
  { name: 'Reason', count: 12 },
  { name: 'ReasonStream.item', count: 1_234 },
];
const COLUMNS: Column<Row>[] = [
  { head: 'TYPE', cell: ({ name }) => name },
  { head: 'COUNT', cell: ({ count }) => String(count), align: 'right' },
  { head: 'HALF', cell: ({ count }) => String(count / 2), align: 'right', dispensable: 1 },
  { head: 'DOUBLE', cell: ({ count }) => String(count * 2), align: 'right', dispensable: 2 },
];

const plain = (lines: readonly string[]): string[] => lines.map((line) => stripVTControlCharacters(line));

describe('columns', () => {
  it('aligns columns, with numbers to the right', () => {
    expect(plain(columns(COLUMNS, ROWS, 80))).toEqual([
      'TYPE               COUNT  HALF  DOUBLE',
      'Reason                12     6      24',
      'ReasonStream.item   1234   617    2468',
    ]);
  });

  it('drops columns if the terminal is too narrow, the least important first', () => {
    expect(plain(columns(COLUMNS, ROWS, 37))[0]).toBe('TYPE               COUNT  HALF');
    expect(plain(columns(COLUMNS, ROWS, 29))[0]).toBe('TYPE               COUNT');
  });

  it('shortens names after all optional columns are dropped', () => {
    expect(plain(columns(COLUMNS, ROWS, 16))).toEqual(['TYPE       COUNT', 'Reason        12', 'ReasonSt…   1234']);
  });
});

describe('parts', () => {
  it('puts all parts on one line if they fit', () => {
    expect(parts('cache  ', ['1 hit', '2 misses'], 80)).toEqual(['cache  1 hit · 2 misses']);
  });

  it('breaks the line between parts and indents the next line', () => {
    expect(parts('cache  ', ['1 hit', '2 misses'], 20)).toEqual(['cache  1 hit', '       2 misses']);
  });
});
