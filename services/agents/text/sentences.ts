// Splits a text into sentences and list items.

export interface Block {
  readonly text: string;
  /** Undefined: prose. `level` is the depth of the list, from 0. */
  readonly item: { readonly isNumbered: boolean; readonly level: number } | undefined;
}

const ITEM = /^(\s*)(?:[-*•–]|(\d{1,3}|[a-z])[.)])\s+(?:\[[ xX]\]\s+)?(\S.*)$/;
const TAB_COLUMNS = 4;
const SEGMENTER = new Intl.Segmenter('en', { granularity: 'sentence' });
const MAX_LEVELS = 16;

/** Control characters are left out, white space is one space. */
export function clean(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ')
    .replaceAll(/\s+/gu, ' ')
    .trim();
}

/** List items, and the prose between them. An indented line below an item continues it. */
export function blocksOf(text: string): Block[] {
  const blocks: { lines: string[]; item: Block['item'] }[] = [];
  const indents: number[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === '') {
      blocks.push({ lines: [], item: undefined });
      continue;
    }
    const found = ITEM.exec(line);
    const last = blocks.at(-1);
    if (found === null) {
      const goesOn = last !== undefined && (last.item === undefined || /^\s/.test(line));
      if (goesOn) last.lines.push(line);
      else blocks.push({ lines: [line], item: undefined });
      continue;
    }
    const [, space = '', number, rest = ''] = found;
    const indent = space.replaceAll('\t', ' '.repeat(TAB_COLUMNS)).length;
    while (indents.length > 0 && indents.at(-1)! >= indent) indents.pop();
    const level = Math.min(indents.length, MAX_LEVELS);
    indents.push(indent);
    blocks.push({ lines: [rest], item: { isNumbered: number !== undefined, level } });
  }
  return blocks
    .map(({ lines, item }) => ({ text: clean(lines.join(' ')), item }))
    .filter(({ text: own }) => own !== '');
}

/** Verbatim, except for white space. */
export function sentencesOf(text: string): string[] {
  return [...SEGMENTER.segment(text.replaceAll(/\s+/gu, ' ').trim())]
    .map(({ segment }) => segment.trim())
    .filter((each) => each !== '');
}

/** Without the mark at its end. */
export function bare(sentence: string): string {
  return sentence.replace(/[.!;:,\s]+$/, '');
}

export function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

const MAX_TITLE_CHARS = 200;

/** Short enough for a title. */
export function shortened(text: string): string {
  return text.length <= MAX_TITLE_CHARS ? text : `${text.slice(0, MAX_TITLE_CHARS - 1).trimEnd()}…`;
}
