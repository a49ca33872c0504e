// The output of the demo: short lines, small charts, and a mark for each checked claim.
import { styleText } from 'node:util';
import { createLogUpdate } from 'log-update';
import { bar } from '../../services/cli/sparkline.ts';
import { table } from '../../services/cli/table.ts';

const BAR_CELLS = 30;

interface BarRow {
  readonly name: string;
  readonly value: number;
  /** Printed after the bar. */
  readonly text: string;
}

export interface Live {
  draw(picture: string): void;
  end(): void;
}

export class Page {
  /** Claims that did not hold. */
  readonly broken: string[] = [];
  readonly #write: (text: string) => void;
  readonly #terminal: NodeJS.WriteStream | undefined;

  /** `terminal`: for animated pictures; undefined: none. */
  constructor(write: (text: string) => void, terminal?: NodeJS.WriteStream) {
    this.#write = write;
    this.#terminal = terminal;
  }

  /** An animated picture; the last frame stays. Undefined without a terminal. */
  live(): Live | undefined {
    if (this.#terminal === undefined) return undefined;
    const draw = createLogUpdate(this.#terminal, { showCursor: true });
    return { draw, end: draw.done };
  }

  title(text: string, why: string): void {
    this.#write(`\n${styleText('bold', text)}\n${styleText('dim', why)}\n\n`);
  }

  say(text: string): void {
    this.#write(`  ${text}`.trimEnd() + '\n');
  }

  /** Bars on one scale: the greatest value has the longest bar. */
  bars(rows: readonly BarRow[]): void {
    const greatest = Math.max(...rows.map(({ value }) => value), Number.MIN_VALUE);
    const cells = Math.max(...rows.map(({ name }) => name.length));
    for (const { name, value, text } of rows) {
      this.say(`  ${name.padEnd(cells)}  ${styleText('cyan', bar(value / greatest, BAR_CELLS))}  ${text}`);
    }
  }

  table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
    for (const line of table(head, rows).split('\n')) this.say(`  ${line}`);
  }

  /** Prints the claim, and whether it holds. */
  claim(text: string, holds: boolean): void {
    this.#write(`  ${holds ? styleText('green', '✓') : styleText('red', '✗ NOT TRUE:')} ${text}\n`);
    if (!holds) this.broken.push(text);
  }
}
