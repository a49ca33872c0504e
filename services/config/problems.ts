// Describes a problem with a setting in one line: its source, its key, the given value and the valid values.
import type { z } from 'zod';
import { dotted, type Shape, shapeAt } from './catalogue.ts';
import { type Source, valueAt } from './sources.ts';
import { suggestKey, suggestValue } from './suggest.ts';
import { converted, numberNoun } from './units.ts';

type Issue = z.core.$ZodIssue;

const SHOWN_CHARACTERS = 60;

/** `sources`: in order of precedence; the last one wins. */
export function describeIssue(issue: Issue, sources: readonly Source[]): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((name) => {
      const path = [...issue.path, name];
      return `${whereIs(path, sources)}unknown setting "${dotted(path)}"; ${meant(dotted(path))}`;
    });
  }
  const key = dotted(issue.path);
  const value = sources.map(({ tree }) => valueAt(tree, issue.path)).findLast((each) => each !== undefined);
  const problem = value === undefined ? 'is missing' : `is ${shown(value)}`;
  return [`${whereIs(issue.path, sources)}setting "${key}" ${problem}; it must be ${wanted(issue, key, value)}`];
}

function whereIs(path: readonly PropertyKey[], sources: readonly Source[]): string {
  // A key missing in a list item has no source line; its item has one.
  for (let length = path.length; length > 0; length -= 1) {
    const part = path.slice(0, length);
    const source = sources.findLast(({ tree }) => valueAt(tree, part) !== undefined);
    if (source) return `${source.where(part)}: `;
  }
  return '';
}

function meant(key: string): string {
  const suggestion = suggestKey(key);
  if (suggestion === undefined) return '"tandem config print" lists all settings';
  const noun = numberNoun(suggestion);
  return `did you mean "${suggestion}"${noun === 'number' ? '' : ` (a ${noun})`}?`;
}

/** Hides passwords in addresses. */
function shown(value: unknown): string {
  const text = JSON.stringify(value)
    .replace(/(:\/\/[^\s/@:]*:)[^\s/]*@/g, '$1…@')
    .replace(/([?&](?:password|key|token)=)[^&"]*/gi, '$1…');
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

function wanted(issue: Issue, key: string, value: unknown): string {
  const shape = shapeAt(issue.path);
  // A rule that JSON Schema cannot express has its own text in the schema.
  const own = (issue.code === 'custom' || issue.code === 'invalid_format') && issue.message.replace(/^must be /, '');
  if (own || shape === undefined) return own || issue.message;
  return `${allowed(key, shape)}${hint(key, shape, value)}`;
}

/** "a whole number of milliseconds, 1 to 600,000". */
export function allowed(key: string, shape: Shape): string {
  const { type, minimum, maximum } = shape;
  if (shape.enum) return `one of ${shape.enum.join(', ')}`;
  if (shape.properties) return `a group of settings: ${Object.keys(shape.properties).join(', ')}`;
  if (type === 'boolean') return 'true or false';
  if (type === 'string') return (shape.minLength ?? 0) > 0 ? 'text, not empty' : 'text';
  if (type === 'array') return list(shape);
  if (type !== 'integer' && type !== 'number') return 'something else';
  const range = minimum === undefined || maximum === undefined ? '' : `, ${grouped(minimum)} to ${grouped(maximum)}`;
  return `a ${type === 'integer' ? 'whole ' : ''}${numberNoun(key)}${range}`;
}

function list({ items, maxItems }: Shape): string {
  const keys = Object.keys(items?.properties ?? {});
  const what = keys.length > 0 ? ` of {${keys.join(', ')}}` : '';
  return `a list${what}${maxItems === undefined ? '' : `, at most ${grouped(maxItems)} long`}`;
}

function hint(key: string, shape: Shape, value: unknown): string {
  const number = converted(key, value);
  if (number !== undefined) return `; for ${shown(value)} write ${number}`;
  const near = shape.enum && typeof value === 'string' ? suggestValue(value, shape.enum.map(String)) : undefined;
  return near === undefined ? '' : `; did you mean ${near}?`;
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}
