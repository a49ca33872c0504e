/**
 * At most `maxChars` characters of a text that comes from outside, with '?' for every character that does not print or that
 * changes how others do: control characters, marks of direction, separators of lines.
 */
export function printable(text: string, maxChars: number): string {
  return text.slice(0, maxChars).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}
