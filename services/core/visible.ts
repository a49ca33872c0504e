// Makes text from outside safe for a terminal or a log: characters that do not print, or that change how others print,
// are shown by code point. These are control characters, direction marks, line separators and private characters.

const ESCAPE = '\u001b';
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]/gu;
/** Like HIDDEN, without line feed, tab and escape. */
const HIDDEN_IN_LINES = new RegExp(`(?![\\n\\t${ESCAPE}])${HIDDEN.source}`, 'gu');
/** An escape character that does not start a style (such as bold or red), which the command line itself writes. */
const OTHER_ESCAPE = new RegExp(`${ESCAPE}(?!\\[[\\d;]{0,16}m)`, 'g');

/** For names, reasons and other single lines. Example: "\u{1b}[2J". */
export function visible(text: string): string {
  return text.replace(HIDDEN, numbered);
}

/** Like `visible`, for a whole text: line breaks and styles stay. */
export function visibleLines(text: string): string {
  return text.replace(HIDDEN_IN_LINES, numbered).replace(OTHER_ESCAPE, numbered);
}

/** For JSON: the value stays the same. */
export function visibleJson(json: string): string {
  return json.replace(HIDDEN_IN_LINES, (character) =>
    character.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}

function numbered(character: string): string {
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}
