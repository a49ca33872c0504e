// Parses examples to learn, one per line: JSON objects, or numbers followed by the label.
import { z } from 'zod';
import type { LearnExample } from '../generated/tandem/v1/learning.ts';
import { toInput } from './input.ts';
import type { Line } from './lines.ts';
import { UsageError } from './usage-error.ts';

/** For --help. */
export const EXAMPLE_FORMS = `
Each line is one example:
  {"encoding": [0.1, 0.2], "label": "cat"}   a list of numbers, or a list of such lists for a time series; no label: unlabelled
  {"text": "it purrs", "label": "cat"}       a text, for a base and teachers that have a tokenizer
  0.1,0.2,cat                                numbers and the label; "0.1,0.2," is unlabelled. A first line of names is left out`;

const label = z.string().default('');
const objectForm = z.union([
  z.strictObject({ encoding: z.array(z.unknown()), label }),
  z.strictObject({ text: z.string().min(1), label }),
]);

/** Skips blank lines. Throws UsageError, which names the line. */
export async function* readExamples(lines: AsyncIterable<Line>): AsyncGenerator<LearnExample> {
  for await (const { number, text } of lines) {
    const trimmed = text.trim();
    if (trimmed === '' || (number === 1 && isHeader(trimmed))) continue;
    try {
      yield trimmed.startsWith('{') ? fromObject(trimmed) : fromColumns(trimmed);
    } catch (error) {
      if (error instanceof UsageError) throw new UsageError(`line ${number}: ${error.message}`);
      throw error;
    }
  }
}

/** Detects a header line of column names: it has no number. */
function isHeader(line: string): boolean {
  return !line.startsWith('{') && line.split(',').every((cell) => cell.trim() === '' || Number.isNaN(Number(cell)));
}

function fromObject(text: string): LearnExample {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`it is not JSON: ${(error as Error).message}`);
  }
  const parsed = objectForm.safeParse(json);
  if (!parsed.success) throw new UsageError('it must be {"encoding": […], "label": "…"}, or "text" for "encoding"');
  const { data } = parsed;
  if ('text' in data) return { label: data.label, text: data.text, encoding: [], tensor: undefined };
  return exampleOf(data.encoding, data.label);
}

function fromColumns(text: string): LearnExample {
  const cells = text.split(',').map((cell) => cell.trim());
  const label = cells.pop()!;
  const bad = cells.findIndex((cell) => cell === '' || Number.isNaN(Number(cell)));
  if (bad >= 0) throw new UsageError(`column ${bad + 1}, "${cells[bad]!.slice(0, 20)}", is not a number`);
  return exampleOf(cells.map(Number), label);
}

function exampleOf(numbers: readonly unknown[], label: string): LearnExample {
  const { shape, data } = toInput(numbers);
  return { label, encoding: [], tensor: { shape, dtype: 'FP32', data }, text: '' };
}
