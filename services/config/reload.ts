// Compares reloaded settings with the current ones, and checks that all changes are live.
import { isDeepStrictEqual } from 'node:util';
import { SETTINGS } from './catalogue.ts';
import { ConfigError } from './config-error.ts';
import type { Settings } from './schema.ts';
import { valueAt } from './sources.ts';

interface SettingChange {
  readonly key: string;
  readonly from: unknown;
  readonly to: unknown;
}

/** Throws ConfigError if a setting differs that is not live; then nothing may be applied. */
export function liveChanges(was: Settings, next: Settings): readonly SettingChange[] {
  const changed = SETTINGS.map((setting) => ({
    ...setting,
    from: valueAt(was, setting.path),
    to: valueAt(next, setting.path),
  })).filter(({ from, to }) => !isDeepStrictEqual(from, to));
  const fixed = changed.filter(({ isLive }) => !isLive);
  if (fixed.length > 0) {
    const each = fixed.map(({ key, from, to }) => `"${key}" from ${inWords(from)} to ${inWords(to)}`).join(', ');
    throw new ConfigError(`setting ${each}: restart the router to change it; nothing was changed`);
  }
  return changed.map(({ key, from, to }) => ({ key, from, to }));
}

/** Example: "slow_start_ms: 2000 → 0". */
export function describeChange({ key, from, to }: SettingChange): string {
  return `${key}: ${inWords(from)} → ${inWords(to)}`;
}

function inWords(value: unknown): string {
  return value === undefined ? 'unset' : JSON.stringify(value);
}
