// Aligned columns that give way on a narrow terminal: the least needed leave first, then names are cut.
import { styleText, stripVTControlCharacters } from 'node:util';

const GAP = '  ';

export interface Column<Row> {
  readonly head: string;
  /** May be styled. */
  readonly cell: (row: Row) => string;
  /** Numbers are; default: flush left. */
  readonly align?: 'right';
  /** Leaves before columns with less; 0, the default: stays. */
  readonly dispensable?: number;
}

/** The head, and one line a row; no line is wider than `width`. */
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

/** What is seen of it: styles take no room. */
export function cellsOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** A text that is too long loses its style with its end. */
export function cut(text: string, cells: number): string {
  return cellsOf(text) <= cells ? text : `${stripVTControlCharacters(text).slice(0, Math.max(0, cells - 1))}…`;
}

function padded(text: string, cells: number, align: 'right' | undefined): string {
  const space = ' '.repeat(Math.max(0, cells - cellsOf(text)));
  return align === 'right' ? space + text : text + space;
}

/** `label` and parts with " · " between them, broken between parts, further lines below the first part. */
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
