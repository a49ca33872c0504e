// Formats numbers for people.

/** Start of latency bucket `i`, milliseconds (services/telemetry/latency.ts). */
export function bucketMs(i) {
  return (2 ** Math.floor(i / 4) * (1 + (i % 4) / 4)) / 1e6;
}

const NONE = '–';
const whole = new Intl.NumberFormat('en');
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

/** 1,234 up to a hundred thousand, then 1.23M. */
export function count(value) {
  return value < 100_000 ? whole.format(value) : compact.format(value);
}

/** Three figures: 0.123, 12.3, 1,230. */
export function figures(value) {
  if (value === 0) return '0';
  if (Math.abs(value) >= 100) return count(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

export function rate(perSecond) {
  return perSecond === undefined ? NONE : perSecond >= 100 ? count(Math.round(perSecond)) : perSecond.toFixed(1);
}

/** 123 µs, 1.23 ms, 1.23 s. */
export function duration(ms) {
  if (ms === undefined || Number.isNaN(ms)) return NONE;
  if (ms === 0) return '0';
  if (ms < 1) return `${figures(ms * 1_000)} µs`;
  if (ms < 1_000) return `${figures(ms)} ms`;
  if (ms < 120_000) return `${figures(ms / 1_000)} s`;
  const minutes = Math.floor(ms / 60_000);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** 123 µJ, 1.23 mJ, 1.23 J. */
export function joules(value) {
  if (value === 0) return '0 J';
  if (value < 1e-3) return `${figures(value * 1e6)} µJ`;
  return value < 1 ? `${figures(value * 1e3)} mJ` : `${figures(value)} J`;
}

export function percent(share) {
  if (share === undefined || Number.isNaN(share)) return NONE;
  return share > 0 && share < 0.1 ? `${figures(share * 100)} %` : `${Math.round(share * 100)} %`;
}

export function bytes(value) {
  if (value < 1_024) return `${value} B`;
  return value < 1_048_576 ? `${figures(value / 1_024)} KiB` : `${figures(value / 1_048_576)} MiB`;
}

/** since 14:03:59 */
export function since(timeMs) {
  return `since ${clock(timeMs)}`;
}

/** 14:03:59; with the date if it is not today. */
export function clock(timeMs) {
  const time = new Date(timeMs);
  const isToday = time.toDateString() === new Date().toDateString();
  const hours = time.toLocaleTimeString('en-GB');
  return isToday ? hours : `${time.toLocaleDateString('en-CA')} ${hours}`;
}

/** 14:03:59.123 */
export function preciseClock(timeMs) {
  return `${clock(timeMs)}.${String(Math.floor(timeMs) % 1_000).padStart(3, '0')}`;
}

export function plural(n, one, many = `${one}s`) {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** HALF_OPEN → half open */
export function words(name) {
  return name.toLowerCase().replaceAll('_', ' ');
}

/** Half open */
export function title(name) {
  const text = words(name);
  return text.charAt(0).toUpperCase() + text.slice(1);
}
