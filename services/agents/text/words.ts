// The words of a text that carry its meaning.

const STOP_WORDS = new Set(
  `a about above after again all also am an and any are as at be because been before being below between both but by can
  could did do does doing done down during each few for from further had has have having he her here hers him his how i if
  in into is it its itself just let me more most my no nor not now of off on once only or other our out over own please same
  shall she should so some such than that the their them then there these they this those through to too under until up us
  very was we were what when where which while who whom whose why will with would you your`.split(/\s+/),
);

const WORD = /[\p{L}\p{N}][\p{L}\p{N}'’-]*/gu;
const MAX_WORD_CHARS = 64;

/** Lower case, plural and singular alike, in the order of the text. */
export function contentWords(text: string): string[] {
  return [...text.toLowerCase().matchAll(WORD)]
    .map(([word]) => word.slice(0, MAX_WORD_CHARS))
    .filter((word) => !STOP_WORDS.has(word))
    .map(stem);
}

/** A crude stem: usually equal for all forms of a word. */
function stem(word: string): string {
  if (word.length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  if (word.length > 4 && /(?:s|x|z|ch|sh)es$/.test(word)) return word.slice(0, -2);
  if (word.length > 3 && word.endsWith('s') && !/(?:ss|us|is)$/.test(word)) return word.slice(0, -1);
  return word;
}
