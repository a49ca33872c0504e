// Parses an exposition in Prometheus' text format.

export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** What follows "#": OpenMetrics' exemplar; empty: none. */
  readonly exemplar: string;
}

export function parseExposition(body: string): Series[] {
  return body
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', labels = '', value = '', exemplar = ''] =
        /^([a-zA-Z_:][\w:]*)(?:\{(.*?)\})? (\S+)(?: # (.*))?$/.exec(line) ?? [];
      if (name === '') throw new Error(`not a sample: ${line}`);
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key!, text!] as const);
      return { name, labels: Object.fromEntries(pairs), value: value === '+Inf' ? Infinity : Number(value), exemplar };
    });
}

/** The value of the sample with that name and at least those labels; NaN if there is none or more than one. */
export function valueOf(
  series: readonly Series[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const found = series.filter(
    (each) => each.name === name && Object.entries(labels).every(([key, text]) => each.labels[key] === text),
  );
  return found.length === 1 ? found[0]!.value : NaN;
}
