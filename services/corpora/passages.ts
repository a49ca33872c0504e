// Splits a document into passages of whole paragraphs, as many as fit into one passage.
import { MAX_PASSAGE_CHARS } from './limits.ts';

/** In the order of the text. None is blank or longer than MAX_PASSAGE_CHARS. */
export function passagesOf(text: string): string[] {
  const passages: string[] = [];
  let open = '';
  for (const part of text.split(/\n[ \t\r]*\n/).flatMap((paragraph) => piecesOf(paragraph.trim()))) {
    if (open !== '' && open.length + 2 + part.length > MAX_PASSAGE_CHARS) {
      passages.push(open);
      open = '';
    }
    open = open === '' ? part : `${open}\n\n${part}`;
  }
  if (open !== '') passages.push(open);
  return passages;
}

/** A paragraph. A long one is split after a sentence, else after a word, else anywhere. */
function piecesOf(paragraph: string): string[] {
  const pieces: string[] = [];
  let from = 0;
  while (paragraph.length - from > MAX_PASSAGE_CHARS) {
    const window = paragraph.slice(from, from + MAX_PASSAGE_CHARS);
    const end = lastEnd(window, /[.!?][\s]/g) || lastEnd(window, /\s/g) || wholeCharacters(window);
    pieces.push(window.slice(0, end).trim());
    from += end;
  }
  pieces.push(paragraph.slice(from).trim());
  return pieces.filter((piece) => piece !== '');
}

/** End of the last match in the second half; 0: there is none. */
function lastEnd(text: string, pattern: RegExp): number {
  let end = 0;
  for (const match of text.matchAll(pattern)) end = match.index + match[0].length;
  return end > text.length / 2 ? end : 0;
}

/** The length without half a surrogate pair at the end. */
function wholeCharacters(text: string): number {
  return /[\uD800-\uDBFF]$/.test(text) ? text.length - 1 : text.length;
}
