// Formats metric values for people.

type Figure = number | bigint;

export function count(value: Figure): string {
  return value.toLocaleString('en-US');
}

/** "1 client", "2 clients". */
export function counted(value: Figure, one: string, many = `${one}s`): string {
  return `${count(value)} ${Number(value) === 1 ? one : many}`;
}

/** A rate, with one decimal if it is small. */
export function perSecond(value: number): string {
  return value === 0 || value >= 10 ? count(Math.round(value)) : value.toFixed(1);
}

export function milliseconds(value: number): string {
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : count(Math.round(value));
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

export function bytes(value: Figure): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let rest = Number(value);
  let unit = 0;
  while (rest >= 1_024 && unit < units.length - 1) {
    rest /= 1_024;
    unit += 1;
  }
  return `${unit === 0 || rest >= 100 ? Math.round(rest) : rest.toFixed(1)} ${units[unit]}`;
}

/** The two largest units. Example: "3 h 12 min". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const units = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3_600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ] as const;
  const first = Math.min(
    units.findIndex(([value]) => value > 0) >>> 0, // none: the last
    units.length - 1,
  );
  const shown = units.slice(first, first + 2).filter(([value], index) => index === 0 || value > 0);
  return shown.map(([value, unit]) => `${value} ${unit}`).join(' ');
}

/** A small value with a unit prefix. Example: "1.5 µJ". */
export function tiny(value: number, unit: string): string {
  const prefixes = ['', 'm', 'µ', 'n', 'p'];
  let scaled = value;
  let step = 0;
  while (scaled > 0 && scaled < 1 && step < prefixes.length - 1) {
    scaled *= 1_000;
    step += 1;
  }
  return `${scaled === 0 ? '0' : scaled >= 100 ? count(Math.round(scaled)) : scaled.toPrecision(2)} ${scaled === 0 ? '' : prefixes[step]}${unit}`;
}
