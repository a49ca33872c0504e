// The only reader of the environment: file, then environment, then flags; the later wins.
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type Settings, settingsSchema } from './schema.ts';

/** A setting that cannot be used. The message is one line and names the key. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

type Tree = { [key: string]: unknown };

export interface LoadOptions {
  /** YAML file; else TANDEM_CONFIG; else none. */
  readonly file?: string | undefined;
  /** Settings from flags, in the shape of the file. */
  readonly flags?: Tree;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export function loadSettings(options: LoadOptions = {}): Settings {
  const env = options.env ?? process.env;
  const file = options.file ?? env['TANDEM_CONFIG'];
  const merged = merge(merge(file ? readYaml(file) : {}, fromEnvironment(env)), options.flags ?? {});
  const result = settingsSchema.safeParse(merged);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new ConfigError(issue ? describeIssue(issue) : 'settings cannot be used');
}

function readYaml(file: string): Tree {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`cannot read settings file "${file}": ${(error as Error).message}`);
  }
  let tree: unknown;
  try {
    tree = parse(text) ?? {};
  } catch (error) {
    throw new ConfigError(`settings file "${file}" is not YAML: ${(error as Error).message.split('\n')[0] ?? ''}`);
  }
  if (!isTree(tree)) throw new ConfigError(`settings file "${file}" must hold keys and values`);
  return tree;
}

/** TANDEM_SPAWN_BASE_PORT=5 → {spawn: {base_port: 5}}. Values are read as YAML, so numbers and lists work. */
function fromEnvironment(env: Readonly<Record<string, string | undefined>>): Tree {
  const tree: Tree = {};
  for (const [path, name] of settingNames()) {
    const text = env[name];
    if (text === undefined) continue;
    let node = tree;
    for (const key of path.slice(0, -1)) node = (node[key] ??= {}) as Tree;
    node[path.at(-1) ?? ''] = parse(text) as unknown;
  }
  return tree;
}

/** Each setting's path and its environment variable. */
export function settingNames(): [path: string[], variable: string][] {
  const names: [string[], string][] = [];
  const walk = (value: unknown, path: string[]): void => {
    if (isTree(value)) for (const [key, child] of Object.entries(value)) walk(child, [...path, key]);
    else names.push([path, ['TANDEM', ...path].join('_').toUpperCase()]);
  };
  walk(settingsSchema.parse({}), []);
  return names;
}

function describeIssue(issue: { path: PropertyKey[]; message: string; code: string; keys?: string[] }): string {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const key = [...issue.path.map(String), issue.keys?.[0] ?? ''].join('.');
    const known = settingNames().map(([names]) => names.join('.'));
    return `unknown setting "${key}"; known settings: ${known.join(', ')}`;
  }
  return `setting "${path}": ${issue.message}`;
}

function merge(base: Tree, over: Tree): Tree {
  const merged: Tree = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    if (value === undefined) continue;
    merged[key] = isTree(below) && isTree(value) ? merge(below, value) : value;
  }
  return merged;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
