// Words of others, on their way to a terminal or a log: what does not print, or changes how other characters do, is shown by
// its number. Control characters, marks of direction, separators of lines and private characters are such.

const ESCAPE = '\u001b';
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]/gu;
/** As HIDDEN, but for the end of a line, the tabulator and escape. */
const HIDDEN_IN_LINES = new RegExp(`(?![\\n\\t${ESCAPE}])${HIDDEN.source}`, 'gu');
/** An escape that is not the begin of a style, such as bold or red, which the command line itself writes. */
const OTHER_ESCAPE = new RegExp(`${ESCAPE}(?!\\[[\\d;]{0,16}m)`, 'g');

/** Example: "\u{1b}[2J". Of a name, a reason, and all else that is one line. */
export function visible(text: string): string {
  return text.replace(HIDDEN, numbered);
}

/** As `visible`, for a whole text: lines and styles stay. */
export function visibleLines(text: string): string {
  return text.replace(HIDDEN_IN_LINES, numbered).replace(OTHER_ESCAPE, numbered);
}

/** Of JSON, which means the same then. */
export function visibleJson(json: string): string {
  return json.replace(HIDDEN_IN_LINES, (character) =>
    character.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}

function numbered(character: string): string {
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}
