// Loads the settings: file, then environment, then flags; later ones win. The only reader of the environment.
import { isDeepStrictEqual } from 'node:util';
import { SETTINGS } from './catalogue.ts';
import { ConfigError } from './config-error.ts';
import { type Environment, unknownVariables } from './environment.ts';
import { describeIssue } from './problems.ts';
import { type Settings, settingsSchema } from './schema.ts';
import {
  type Flag,
  fromEnvironment,
  fromFile,
  fromFlags,
  fromTree,
  merge,
  type Source,
  type Tree,
  valueAt,
} from './sources.ts';

export { ConfigError };

export interface LoadOptions {
  /** YAML file; else TANDEM_CONFIG; else none. */
  readonly file?: string | undefined;
  readonly flags?: readonly Flag[];
  readonly env?: Environment;
  /** Defaults of the program that replace the schema's, in the shape of the file. */
  readonly defaults?: Tree;
}

export interface Checked {
  /** Undefined if there are problems. */
  readonly settings: Settings | undefined;
  /** One line each. */
  readonly problems: readonly string[];
  /** Values that are not the schema's defaults. */
  readonly changes: readonly Change[];
}

export interface Change {
  readonly key: string;
  readonly value: unknown;
  /** Undefined: there is none. */
  readonly default: unknown;
  /** Example: "variable TANDEM_SPAWN_COUNT". */
  readonly where: string;
}

/** Returns the settings, or throws a ConfigError that names the first problem in one line. */
export function loadSettings(options: LoadOptions = {}): Settings {
  const { settings, problems } = checkSettings(options);
  if (settings) return settings;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more: "tandem config check" lists all)` : '';
  throw new ConfigError(`${problems[0] ?? 'settings cannot be used'}${more}`);
}

/** Returns all problems of the settings, or all differences from the defaults. Throws if the file cannot be read. */
export function checkSettings(options: LoadOptions = {}): Checked {
  const env = options.env ?? process.env;
  const file = options.file ?? (env['TANDEM_CONFIG'] || undefined);
  const sources = [
    fromTree(options.defaults ?? {}, 'this program'),
    ...(file === undefined ? [] : [fromFile(file)]),
    fromEnvironment(env),
    fromFlags(options.flags ?? []),
  ];
  const result = settingsSchema.safeParse(sources.map(({ tree }) => tree).reduce(merge));
  const problems = [
    ...(result.error?.issues ?? []).flatMap((issue) => describeIssue(issue, sources)),
    ...unknownVariables(env),
  ];
  if (!result.success || problems.length > 0) return { settings: undefined, problems, changes: [] };
  return { settings: result.data, problems, changes: changesIn(result.data, sources) };
}

function changesIn(settings: Settings, sources: readonly Source[]): Change[] {
  return SETTINGS.flatMap(({ key, path, default: usual }) => {
    const value = valueAt(settings, path);
    const where = sources.findLast(({ tree }) => valueAt(tree, path) !== undefined)?.where(path) ?? '';
    return isDeepStrictEqual(value, usual) ? [] : [{ key, value, default: usual, where }];
  });
}
