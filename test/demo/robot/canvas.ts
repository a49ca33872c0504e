// A picture of dots in a terminal: each cell has 2 × 4 of them, as a Braille pattern.

const BRAILLE = 0x2800;
/** The bit of each dot of a cell, by row, then by column. */
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

export class Canvas {
  readonly width: number;
  readonly height: number;
  readonly #cells: Uint8Array;
  readonly #columns: number;

  constructor(columns: number, rows: number) {
    [this.width, this.height, this.#columns] = [2 * columns, 4 * rows, columns];
    this.#cells = new Uint8Array(columns * rows);
  }

  /** From the left and from the top; dots outside of the picture are ignored. */
  dot(x: number, y: number): void {
    const [column, row] = [Math.round(x), Math.round(y)];
    if (column < 0 || row < 0 || column >= this.width || row >= this.height) return;
    this.#cells[(row >> 2) * this.#columns + (column >> 1)]! |= DOTS[row & 3]![column & 1]!;
  }

  line(fromX: number, fromY: number, toX: number, toY: number): void {
    const dots = Math.ceil(Math.max(Math.abs(toX - fromX), Math.abs(toY - fromY)));
    for (let n = 0; n <= dots; n += 1) {
      const share = dots === 0 ? 0 : n / dots;
      this.dot(fromX + share * (toX - fromX), fromY + share * (toY - fromY));
    }
  }

  lines(): string[] {
    const text = Array.from(this.#cells, (dots) => String.fromCodePoint(BRAILLE + dots));
    const rows = text.length / this.#columns;
    return Array.from({ length: rows }, (_, row) =>
      text.slice(row * this.#columns, (row + 1) * this.#columns).join(''),
    );
  }
}
