// Aligned columns without borders, at most as wide as the terminal: texts are cut first, then columns on the right are
// left out.
import { styleText } from 'node:util';
import { cellsOf, cut } from './columns.ts';

const GAP = '  ';
/** Minimum width of a cut text; the first column, which identifies the row, keeps more. */
const LEAST_CELLS = 8;
const LEAST_NAME_CELLS = 32;

type Row = readonly (string | number)[];

interface Column {
  readonly head: string;
  readonly index: number;
  /** Never cut, and right-aligned. */
  readonly isNumeric: boolean;
  cells: number;
}

/** `width`: cells; default: the terminal's. A file or a pipe gets everything. */
export function table(head: readonly string[], rows: readonly Row[], width = terminalWidth()): string {
  const all = head.map((name, index) => columnOf(name, index, rows));
  const shown = [...all];
  while (shown.length > 1 && leastWidth(shown) > width) shown.pop();
  narrow(shown, width);
  const left = all.slice(shown.length).map((column) => column.head);
  const lines = rows.map((row) => line(shown, ({ index }) => textOf(row[index])));
  return [
    line(shown, ({ head }) => styleText('bold', head)),
    ...lines,
    ...(left.length === 0 ? [] : [cut(`(${left.join(', ')}: with a wider terminal, or --json)`, width)]),
  ].join('\n');
}

function terminalWidth(): number {
  return process.stdout.isTTY ? process.stdout.columns : Infinity;
}

function columnOf(head: string, index: number, rows: readonly Row[]): Column {
  const isNumeric = rows.length > 0 && rows.every((row) => typeof row[index] === 'number');
  return { head, index, isNumeric, cells: Math.max(head.length, ...rows.map((row) => cellsOf(textOf(row[index])))) };
}

function textOf(cell: string | number | undefined): string {
  return String(cell ?? '').replaceAll('\n', ' ');
}

/** The minimum width of a column. */
function leastCells({ head, index, isNumeric, cells }: Column): number {
  return isNumeric ? cells : Math.min(cells, Math.max(head.length, index === 0 ? LEAST_NAME_CELLS : LEAST_CELLS));
}

function leastWidth(columns: readonly Column[]): number {
  return columns.reduce((sum, column) => sum + leastCells(column) + GAP.length, -GAP.length);
}

/** Shortens the widest text until all fit. */
function narrow(columns: readonly Column[], width: number): void {
  let over = columns.reduce((sum, { cells }) => sum + cells + GAP.length, -GAP.length) - width;
  while (over > 0) {
    const [widest] = columns
      .filter((column) => column.cells > leastCells(column))
      .sort((one, other) => other.cells - one.cells);
    if (widest === undefined) return;
    widest.cells -= 1;
    over -= 1;
  }
}

function line(columns: readonly Column[], text: (column: Column) => string): string {
  return columns
    .map((column) => {
      const shown = cut(text(column), column.cells);
      const space = ' '.repeat(column.cells - cellsOf(shown));
      return column.isNumeric ? space + shown : shown + space;
    })
    .join(GAP)
    .trimEnd();
}
