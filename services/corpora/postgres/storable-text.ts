/** Replaces what PostgreSQL cannot store, NUL and lone surrogates, by U+FFFD. */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}
