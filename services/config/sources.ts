// Sources of settings. Each source is a tree in the shape of the file and knows the location of each value.
import { readFileSync } from 'node:fs';
import { isMap, isScalar, isSeq, LineCounter, parse, parseDocument } from 'yaml';
import { SETTINGS, type Setting } from './catalogue.ts';
import { ConfigError } from './config-error.ts';
import type { Environment } from './environment.ts';

export type Tree = { [key: string]: unknown };

export interface Source {
  readonly tree: Tree;
  /** For messages. Examples: "tandem.yaml:3", "variable TANDEM_LISTEN", "flag --listen". */
  where(path: readonly PropertyKey[]): string;
}

/** A command-line flag that sets a setting. */
export interface Flag {
  /** Example: "--engines". */
  readonly flag: string;
  /** Example: "spawn.count". */
  readonly key: string;
  /** Undefined: it was not given. */
  readonly text: string | undefined;
}

export function fromFile(file: string): Source {
  const lines = new LineCounter();
  const document = parseDocument(readText(file), { lineCounter: lines, logLevel: 'error' });
  let tree: unknown;
  try {
    if (document.errors[0]) throw document.errors[0];
    tree = document.toJS() ?? {};
  } catch (error) {
    const [problem = ''] = (error as Error).message.split('\n');
    throw new ConfigError(`settings file "${file}" is not YAML: ${problem.replace(/:$/, '')}`);
  }
  if (!isTree(tree))
    throw new ConfigError(`settings file "${file}" must hold keys and values; example: "spawn: {count: 3}"`);
  return {
    tree,
    where: (path) => {
      const offset = offsetOf(document.contents, path);
      return offset === undefined ? file : `${file}:${lines.linePos(offset).line}`;
    },
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`cannot read settings file "${file}": ${(error as Error).message}`);
  }
}

/** Start of a value's key or of a list item; if it is missing, that of its nearest parent. */
function offsetOf(node: unknown, path: readonly PropertyKey[]): number | undefined {
  let offset: number | undefined;
  for (const part of path) {
    let next: unknown;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
      offset = isScalar(pair?.key) ? (pair.key.range?.[0] ?? offset) : offset;
      next = pair?.value;
    } else if (isSeq(node)) {
      next = node.items[Number(part)];
      offset = (next as { range?: [number] } | undefined)?.range?.[0] ?? offset;
    }
    node = next;
  }
  return offset;
}

/** TANDEM_SPAWN_BASE_PORT=5 → {spawn: {base_port: 5}}. An empty variable counts as unset. */
export function fromEnvironment(env: Environment): Source {
  const given = SETTINGS.filter(({ variable }) => (env[variable] ?? '') !== '');
  return fromTexts(
    given.map((setting) => ({ setting, text: env[setting.variable] ?? '', where: `variable ${setting.variable}` })),
  );
}

export function fromFlags(flags: readonly Flag[]): Source {
  return fromTexts(
    flags.flatMap(({ flag, key, text }) => {
      const setting = SETTINGS.find((each) => each.key === key);
      if (setting === undefined) throw new Error(`${flag} sets "${key}", which is no setting`);
      return text === undefined ? [] : [{ setting, text, where: `flag ${flag}` }];
    }),
  );
}

export function fromTree(tree: Tree, name: string): Source {
  return { tree, where: () => name };
}

function fromTexts(given: readonly { setting: Setting; text: string; where: string }[]): Source {
  const tree: Tree = {};
  for (const { setting, text } of given) {
    let node = tree;
    for (const part of setting.path.slice(0, -1)) node = (node[part] ??= {}) as Tree;
    node[setting.path.at(-1)!] = fromText(setting, text);
  }
  const where = (path: readonly PropertyKey[]): string =>
    given.find(({ setting }) => setting.path.every((part, at) => part === path[at]))?.where ?? '';
  return { tree, where };
}

/**
 * Strings are kept; numbers, lists and other values are parsed as YAML. Invalid YAML is left for the schema to refuse.
 */
function fromText({ shape }: Setting, text: string): unknown {
  if (shape.type === 'string') return text;
  try {
    return parse(text, { logLevel: 'error' }) as unknown;
  } catch {
    return text;
  }
}

/** The later source wins; groups are merged, lists replaced. */
export function merge(base: Tree, over: Tree): Tree {
  const merged: Tree = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isTree(below) && isTree(value) ? merge(below, value) : value;
  }
  return merged;
}

export function valueAt(tree: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (node, part) =>
      typeof node === 'object' && node !== null ? (node as Record<PropertyKey, unknown>)[part] : undefined,
    tree,
  );
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
