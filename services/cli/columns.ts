// Aligned columns that adapt to a narrow terminal: the least important columns are left out first, then names are cut.
import { styleText, stripVTControlCharacters } from 'node:util';

const GAP = '  ';

export interface Column<Row> {
  readonly head: string;
  /** May be styled. */
  readonly cell: (row: Row) => string;
  /** Right-aligned, for numbers. Default: left-aligned. */
  readonly align?: 'right';
  /** Columns with a higher number are left out first. Default 0: never left out. */
  readonly dispensable?: number;
}

/** The header and one line for each row. No line is wider than `width`. */
export function columns<Row>(wanted: readonly Column<Row>[], rows: readonly Row[], width: number): string[] {
  const texts = wanted.map((column) => ({
    column,
    lines: [styleText('bold', column.head), ...rows.map(column.cell)],
  }));
  const measured = texts.map(({ column, lines }) => ({ column, lines, cells: Math.max(...lines.map(cellsOf)) }));
  const [first, ...rest] = fitted(measured, width);
  if (first === undefined) return [];
  const room = width - totalCells(rest) - GAP.length * rest.length;
  const name = { ...first, cells: Math.max(1, Math.min(first.cells, room)) };
  return first.lines.map((_, index) =>
    [name, ...rest]
      .map(({ column, lines, cells }) => padded(cut(lines[index] ?? '', cells), cells, column.align))
      .join(GAP)
      .trimEnd(),
  );
}

interface Measured<Row> {
  readonly column: Column<Row>;
  readonly lines: readonly string[];
  readonly cells: number;
}

function fitted<Row>(all: readonly Measured<Row>[], width: number): readonly Measured<Row>[] {
  if (totalCells(all) + GAP.length * (all.length - 1) <= width) return all;
  const most = Math.max(...all.map(({ column }) => column.dispensable ?? 0));
  if (most === 0) return all;
  const leaving = all.findLastIndex(({ column }) => column.dispensable === most);
  return fitted(
    all.filter((_, index) => index !== leaving),
    width,
  );
}

function totalCells(all: readonly Measured<never>[]): number {
  return all.reduce((total, { cells }) => total + cells, 0);
}

/** The visible part: styles have no width. */
export function cellsOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** A text that is cut also loses its style. */
export function cut(text: string, cells: number): string {
  return cellsOf(text) <= cells ? text : `${stripVTControlCharacters(text).slice(0, Math.max(0, cells - 1))}…`;
}

function padded(text: string, cells: number, align: 'right' | undefined): string {
  const space = ' '.repeat(Math.max(0, cells - cellsOf(text)));
  return align === 'right' ? space + text : text + space;
}

/** `label`, then the parts joined by " · ". Lines break between parts and align with the first part. */
export function parts(label: string, list: readonly string[], width: number): string[] {
  const indent = ' '.repeat(cellsOf(label));
  const lines: string[] = [];
  let line = label;
  let isFresh = true;
  for (const part of list) {
    if (isFresh) {
      line += part;
    } else if (cellsOf(line) + 3 + cellsOf(part) <= width) {
      line += ` · ${part}`;
    } else {
      lines.push(line);
      line = indent + part;
    }
    isFresh = false;
  }
  return [...lines, line].map((each) => cut(each, width));
}
