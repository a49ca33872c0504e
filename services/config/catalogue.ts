// Every setting as data: its key, default, range and meaning, derived from the schema, so that messages, documents and
// environment variables always match what is checked.
import { z } from 'zod';
import { settingsSchema } from './schema.ts';

/** The part of JSON Schema that the settings use. */
export interface Shape {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly items?: Shape;
  /** See live.ts. */
  readonly live?: boolean;
}

export interface Setting {
  /** Example: "spawn.count". */
  readonly key: string;
  readonly path: readonly string[];
  /** Example: "TANDEM_SPAWN_COUNT". */
  readonly variable: string;
  /** Undefined: no default; the setting may stay unset. */
  readonly default: unknown;
  readonly doc: string;
  /** True: a reload applies it. False: it needs a restart. */
  readonly isLive: boolean;
  readonly shape: Shape;
}

/** JSON Schema of a settings file. Draft 7 is what every editor's YAML support knows. */
export function settingsJsonSchema(): Shape {
  return z.toJSONSchema(settingsSchema, { io: 'input', target: 'draft-7' }) as Shape;
}

const ROOT = settingsJsonSchema();

/** In the order of the schema. A list is one setting. */
export const SETTINGS: readonly Setting[] = collect(ROOT, [], false);

function collect(shape: Shape, path: readonly string[], isGroupLive: boolean): Setting[] {
  const isLive = shape.live ?? isGroupLive;
  if (shape.properties) {
    return Object.entries(shape.properties).flatMap(([name, child]) => collect(child, [...path, name], isLive));
  }
  const key = path.join('.');
  const variable = ['TANDEM', ...path].join('_').toUpperCase();
  return [{ key, path, variable, default: shape.default, doc: shape.description ?? '', isLive, shape }];
}

/** The schema of a setting, a group, or a list item; undefined if the path does not exist. */
export function shapeAt(path: readonly PropertyKey[]): Shape | undefined {
  let shape: Shape | undefined = ROOT;
  for (const part of path) shape = typeof part === 'number' ? shape?.items : shape?.properties?.[String(part)];
  return shape;
}

/** Every key, including groups and keys of list items, in the form of `dotted` with index 0. */
export function everyKey(): readonly string[] {
  const walk = (shape: Shape, path: readonly PropertyKey[]): string[] => [
    ...(path.length > 0 ? [dotted(path)] : []),
    ...Object.entries(shape.properties ?? {}).flatMap(([name, child]) => walk(child, [...path, name])),
    ...(shape.items ? walk(shape.items, [...path, 0]) : []),
  ];
  return walk(ROOT, []);
}

/** ["sidecars", 0, "address"] → "sidecars[0].address". */
export function dotted(path: readonly PropertyKey[]): string {
  return path
    .map((part, at) => (typeof part === 'number' ? `[${part}]` : `${at > 0 ? '.' : ''}${String(part)}`))
    .join('');
}
