// Limits on the text in a language model's answer, as arguments of zod's `refine`.

const MAX_LINE_CHARS = 2_000;
const MAX_LINES = 100;

function isSane(text: string): boolean {
  return text.trim() !== '' && text.length <= MAX_LINE_CHARS;
}

export const isLine = [isSane, { error: `it must have 1 to ${MAX_LINE_CHARS} characters` }] as const;

export const isLines = [
  (lines: readonly string[]): boolean => lines.length <= MAX_LINES && lines.every(isSane),
  { error: `it must have at most ${MAX_LINES} items of 1 to ${MAX_LINE_CHARS} characters` },
] as const;
