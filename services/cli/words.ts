// Enum values in words: "ENGINE_STATE_READY" is "ready" to a reader, and an option's "refresh" is "CACHE_MODE_REFRESH".
import { withoutPrefix } from '../core/enum-name.ts';

/** The values' names without their prefix, leaving out the unspecified one. */
export function valuesOf(enumeration: object, prefix: string): string[] {
  return Object.keys(enumeration)
    .filter((name) => name.startsWith(prefix) && !name.endsWith('_UNSPECIFIED'))
    .map((name) => name.slice(prefix.length));
}

/** "ENGINE_STATE_READY" → "READY"; "-" for what is not said. */
export function bare(name: string, prefix: string): string {
  const rest = withoutPrefix(name, prefix);
  return rest === 'UNSPECIFIED' ? '-' : rest;
}

/** "BREAKER_STATE_HALF_OPEN" → "half-open". */
export function plain(name: string, prefix: string): string {
  return bare(name, prefix).toLowerCase().replaceAll('_', '-');
}
