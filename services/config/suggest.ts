// Suggests the name that was probably meant.
import { distance } from 'fastest-levenshtein';
import { everyKey, SETTINGS } from './catalogue.ts';
import { withoutUnit } from './units.ts';

/** A more distant guess would mislead. Two swapped letters are two edits. */
function editsAllowed(length: number): number {
  return length < 4 ? 1 : Math.max(2, Math.floor(length / 3));
}

/** The nearest name, if one is near enough, compared in its given spelling; on a tie the first. */
function nearest(
  given: string,
  names: readonly string[],
  spelling = (name: string): string => name,
): string | undefined {
  const lower = given.toLowerCase();
  let best: string | undefined;
  let fewest = editsAllowed(given.length) + 1;
  for (const name of names) {
    const edits = distance(lower, spelling(name).toLowerCase());
    if (edits < fewest) [best, fewest] = [name, edits];
  }
  return best;
}

export function suggestValue(given: string, values: readonly string[]): string | undefined {
  return nearest(given, values);
}

/** For an unknown key: compares the whole path, the last part alone (the group was forgotten), or all but the unit. */
export function suggestKey(given: string): string | undefined {
  // Names below a list are the same for every index.
  const index = /\[\d+\]/.exec(given)?.[0] ?? '[0]';
  const keys = everyKey().map((key) => key.replace('[0]', index));
  const last = (key: string): string => key.slice(key.lastIndexOf('.') + 1);
  const bare = (key: string): string => withoutUnit(last(key));
  return (
    nearest(given, keys) ??
    nearest(withoutUnit(given), keys, withoutUnit) ??
    nearest(last(given), keys, last) ??
    nearest(bare(given), keys, bare)
  );
}

/** For an unknown TANDEM_… variable, in the same way; for the variable of a group, the group's first setting. */
export function suggestVariable(given: string, others: readonly string[]): string | undefined {
  const bare = (name: string): string => name.replace(/^TANDEM_/, '');
  const variables = SETTINGS.map(({ variable }) => variable);
  const near = nearest(bare(given), [...variables, ...others], bare);
  const asKey = suggestKey(bare(given).toLowerCase());
  return (
    near ??
    SETTINGS.find(({ key }) => key === asKey)?.variable ??
    variables.find((variable) => variable.startsWith(`${given}_`))
  );
}
