/**
 * At most `maxChars` characters of an untrusted text, with '?' for every character that does not print or that changes
 * how others print: control characters, direction marks, line separators.
 */
export function printable(text: string, maxChars: number): string {
  return text.slice(0, maxChars).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}
