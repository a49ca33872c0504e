// A setting's unit is the suffix of its name. Values are plain numbers in that unit.

interface Unit {
  /** Description of the number. */
  readonly noun: string;
  /** Other notations for such values, with their factor: "5s" is 5 times 1,000 milliseconds. */
  readonly written: Readonly<Record<string, number>>;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const UNITS: Readonly<Record<string, Unit>> = {
  ms: {
    noun: 'number of milliseconds',
    written: { ms: 1, s: 1_000, sec: 1_000, m: MINUTE_MS, min: MINUTE_MS, h: HOUR_MS, d: 24 * HOUR_MS },
  },
  s: { noun: 'number of seconds', written: { ms: 0.001, s: 1, sec: 1, m: 60, min: 60, h: 3_600 } },
  bytes: {
    noun: 'number of bytes',
    written: {
      b: 1,
      kb: 1e3,
      mb: 1e6,
      gb: 1e9,
      kib: 2 ** 10,
      mib: 2 ** 20,
      gib: 2 ** 30,
      k: 2 ** 10,
      m: 2 ** 20,
      g: 2 ** 30,
    },
  },
  percent: { noun: 'number, in percent', written: { '%': 1 } },
  share: { noun: 'share', written: { '%': 0.01 } },
};

const SUFFIX = /_([a-z]+)$/;
/** Name suffixes that people use as units. */
const FOREIGN =
  /_(ms|millis|milliseconds|s|sec|secs|seconds|min|minutes|us|b|kb|mb|gb|kib|mib|gib|bytes|percent|pct|share)$/;

function unitOf(key: string): Unit | undefined {
  return UNITS[SUFFIX.exec(key)?.[1] ?? ''];
}

/** "cache.ttl_ms" → "number of milliseconds". */
export function numberNoun(key: string): string {
  return unitOf(key)?.noun ?? 'number';
}

/** "cache.ttl_seconds" → "cache.ttl": the key without its unit. */
export function withoutUnit(key: string): string {
  return key.replace(FOREIGN, '');
}

/**
 * Converts a value with a unit, such as "5s" or "64 MiB", to the unit of the key; undefined if it is not such a value.
 */
export function converted(key: string, value: unknown): number | undefined {
  const [, number = '', written = ''] =
    /^\s*([0-9.]+)\s*([a-z%]+)\s*$/i.exec(typeof value === 'string' ? value : '') ?? [];
  const factor = unitOf(key)?.written[written.toLowerCase()];
  const result = factor === undefined ? NaN : Number(number) * factor;
  return Number.isFinite(result) ? Number(result.toPrecision(12)) : undefined;
}
