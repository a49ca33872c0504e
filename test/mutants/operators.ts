// The changes that mutants make, on one line of text each. They work for C++ and TypeScript: both are formatted, so
// binary operators have spaces around them.

export interface Change {
  readonly operator: string;
  readonly after: string;
}

/** Replaces each match outside of strings and comments, one at a time. */
interface Rule {
  readonly operator: string;
  readonly pattern: RegExp;
  readonly replace: (found: string) => string;
}

const SWAPS: Readonly<Record<string, string>> = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '==': '!=',
  '!=': '==',
  '===': '!==',
  '!==': '===',
  '&&': '||',
  '||': '&&',
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '+=': '-=',
  '-=': '+=',
  '++': '--',
  '--': '++',
  true: 'false',
  false: 'true',
};

const swap = (found: string): string => SWAPS[found]!;

const RULES: readonly Rule[] = [
  { operator: 'comparison', pattern: /(?<= )(?:<=?|>=?|[!=]==?)(?= )/g, replace: swap },
  { operator: 'logic', pattern: /(?<= )(?:&&|\|\|)(?= )/g, replace: swap },
  { operator: 'arithmetic', pattern: /(?<= )[-+*/](?= )/g, replace: swap },
  // No option of a command: --json.
  { operator: 'step', pattern: /(?<= )[-+]=(?= )|\+\+|(?<=\w)--|--(?=\w+[;)])/g, replace: swap },
  { operator: 'truth', pattern: /\b(?:true|false)\b/g, replace: swap },
  { operator: 'number', pattern: /(?<![\w.'])\d+(?![\w.'])/g, replace: (found) => String(Number(found) + 1) },
];

/** Statements that may be removed: calls, assignments and increments, but no declarations. */
const STATEMENT =
  /^\s+(?:\+\+|--)?(?!return\b|throw\b|delete\b|co_)[a-zA-Z_#][\w.#]*(?:->[\w.]+)*(?:\[[^\]]*\])?[.\w]*(?:\(.*\)| [-+|&*]?= .*)?;$/;

/** All changes of a line of code; none of a blank line, a comment or a preprocessor line. */
export function changesOf(line: string): Change[] {
  const code = codeOf(line);
  if (/^\s*(?:#|$|\*|template|namespace|using|import|export \{)/.test(code)) return [];
  // A sum beside a text is usually a text itself, which cannot be subtracted from.
  const rules = line.includes('"') ? RULES.filter(({ operator }) => operator !== 'arithmetic') : RULES;
  const changes = rules.flatMap(({ operator, pattern, replace }) =>
    [...code.matchAll(pattern)].map(({ 0: found, index }) => ({
      operator,
      after: line.slice(0, index) + replace(found) + line.slice(index + found.length),
    })),
  );
  if (STATEMENT.test(code)) changes.push({ operator: 'drop statement', after: `${/^\s*/.exec(line)![0]};` });
  const negated = negate(code, line);
  if (negated !== undefined) changes.push({ operator: 'negate', after: negated });
  if (/^\s*(?:[\w:]+ )?void [\w:]+\(.*\{$/.test(code))
    changes.push({ operator: 'return at once', after: `${line} return;` });
  return changes;
}

/** The line with its strings and comments blanked out, at the same length. */
function codeOf(line: string): string {
  const blank = (text: string): string => ' '.repeat(text.length);
  return line
    .replaceAll(
      /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)+'(?!\d)|`[^`]*`/g,
      (text) => `${text[0]}${blank(text.slice(2))}${text[0]}`,
    )
    .replace(/\/\/.*$|\/\*.*$/, blank);
}

/** The condition of an `if` that ends on this line, negated. */
function negate(code: string, line: string): string | undefined {
  const found = /\bif (?:constexpr )?\(/.exec(code);
  if (!found) return undefined;
  const open = found.index + found[0].length - 1;
  let depth = 0;
  for (let at = open; at < code.length; at += 1) {
    if (code[at] === '(') depth += 1;
    if (code[at] === ')') depth -= 1;
    if (depth > 0) continue;
    // `if (auto error = …)`: the declared variable is also the condition.
    const condition = line.slice(open + 1, at);
    const declared = /^(?:const )?\w+ (\w+) = .*[^=]$/.exec(condition);
    const negated = declared ? `${condition}; !${declared[1]}` : `!(${condition})`;
    return `${line.slice(0, open + 1)}${negated}${line.slice(at)}`;
  }
  return undefined;
}
