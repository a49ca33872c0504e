// Converts enum values to and from words: "ENGINE_STATE_READY" is shown as "ready", and option "refresh" is
// "CACHE_MODE_REFRESH".
import { withoutPrefix } from '../core/enum-name.ts';

/** The names of the values without prefix and without the unspecified one. */
export function valuesOf(enumeration: object, prefix: string): string[] {
  return Object.keys(enumeration)
    .filter((name) => name.startsWith(prefix) && !name.endsWith('_UNSPECIFIED'))
    .map((name) => name.slice(prefix.length));
}

/** "ENGINE_STATE_READY" → "READY"; "-" for the unspecified value. */
export function bare(name: string, prefix: string): string {
  const rest = withoutPrefix(name, prefix);
  return rest === 'UNSPECIFIED' ? '-' : rest;
}

/** "BREAKER_STATE_HALF_OPEN" → "half-open". */
export function plain(name: string, prefix: string): string {
  return bare(name, prefix).toLowerCase().replaceAll('_', '-');
}
