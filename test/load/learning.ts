// Does a student learn more than its best teacher knows, with a liar among its teachers? `npx node test/load/learning.ts FILE.csv…`
//
// Each file has a label in its last column. Two honest teachers each see a half of the columns, by chance, and were trained on a fifth of the rows;
// the third one says the next label wherever the first one is right. The student sees all columns of other rows, half of which are
// labelled, three times; a third set of rows decides. Without a file: the shipped model. Its teachers see half of each encoding, and
// the student reads its hidden layer's spikes; five folds of the shipped texts.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseManifest } from '../../services/config/manifest.ts';
import { compileNetwork } from '../../services/engines/local/compile.ts';
import { Interrupt } from '../../services/engines/local/interrupt.ts';
import { Simulator } from '../../services/engines/local/simulator.ts';
import { indexOfLargest } from '../../services/learning/consensus.ts';
import { type Example, Learner } from '../../services/learning/learner.ts';
import { readHeldout } from '../support/heldout.ts';
import { randomOf, studentSpec } from '../support/learning.ts';

const EPOCHS = 3;
const SEEDS = 20;
const FOLDS = 5;

interface Row {
  readonly features: Float32Array;
  readonly label: number;
}
type Teacher = (row: Row) => Float32Array;
interface Outcome {
  readonly student: boolean;
  readonly teachers: readonly boolean[];
}
interface Run {
  readonly outcomes: Outcome[];
  readonly weights: number[];
  readonly regrets: string;
}

function teach(
  stream: readonly Row[],
  held: readonly Row[],
  teachers: readonly Teacher[],
  labels: number,
  seed: number,
): Run {
  const random = randomOf(seed);
  const spec = studentSpec({
    features: stream[0]!.features.length,
    labels: Array.from({ length: labels }, String),
    teachers: teachers.map((_, k) => `t${k}/1`),
    rate: 1,
  });
  const examples = stream.map((row): Example => ({
    features: row.features,
    label: random() < 0.5 ? row.label : undefined,
    scores: teachers.map((teacher) => teacher(row)),
  }));
  const learner = new Learner(spec);
  for (let epoch = 0; epoch < EPOCHS; epoch += 1) for (const example of examples) learner.learn(example);
  const { teachers: poly, readout } = learner;
  const isUnder = [...poly.regrets].every((regret, k) => regret <= poly.bound(k));
  return {
    outcomes: held.map((row) => ({
      student: indexOfLargest(readout.scores(row.features)) === row.label,
      teachers: teachers.map((teacher) => indexOfLargest(teacher(row)) === row.label),
    })),
    weights: poly.weights(teachers.map(() => true)),
    regrets: isUnder ? 'under its bound' : 'ABOVE ITS BOUND',
  };
}

/** The best teacher is that of each run, found with the rows that decide. */
function report(name: string, runs: readonly Run[]): void {
  const pairs = runs.map(({ outcomes }) => {
    const right = outcomes[0]!.teachers.map((_, k) => outcomes.filter(({ teachers }) => teachers[k]).length);
    const best = indexOfLargest(right);
    return outcomes.map(({ student, teachers }) => ({ student, best: teachers[best]! }));
  });
  const all = pairs.flat();
  const rate = (of: (pair: Pair) => boolean): number => all.filter(of).length / all.length;
  const [student, best] = [rate((pair) => pair.student), rate((pair) => pair.best)];
  const { weights } = runs.at(-1)!;
  console.log(
    `${name}, ${runs.length} runs of ${pairs[0]!.length}: student ${percent(student)}, best teacher ${percent(best)}, ` +
      `${((student - best) * 100).toFixed(1)} points; McNemar p ${mcNemar(all).toExponential(1)} of all, ` +
      `${median(pairs.map(mcNemar)).toExponential(1)} of the median run; ` +
      `last weights ${weights.map((weight) => weight.toFixed(3)).join(', ')}; regret ` +
      [...new Set(runs.map(({ regrets }) => regrets))].join(', '),
  );
}

interface Pair {
  readonly student: boolean;
  readonly best: boolean;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

/** Exact, two-sided. */
function mcNemar(pairs: readonly Pair[]): number {
  const better = pairs.filter(({ student, best }) => student && !best).length;
  const worse = pairs.filter(({ student, best }) => !student && best).length;
  const n = better + worse;
  let [logTerm, sum] = [-n * Math.LN2, 0];
  for (let k = 0; k <= Math.min(better, worse); k += 1) {
    sum += Math.exp(logTerm);
    logTerm += Math.log((n - k) / (k + 1));
  }
  return Math.min(1, 2 * sum);
}

/** Says the next label where that teacher would say the right one. */
function liar(honest: Teacher): Teacher {
  return (row) => {
    const scores = honest(row);
    return scores.map((_, k) => scores[(k + scores.length - 1) % scores.length]!);
  };
}

function fromFile(file: string): void {
  const lines = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  const names = [...new Set(lines.map((cells) => cells.at(-1)!))].sort();
  const columns = lines[0]!.length - 1;
  const statistics = Array.from({ length: columns }, (_, c) => {
    const values = lines.map((cells) => Number(cells[c]));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    return { mean, spread: spread || 1 };
  });
  const rows = lines.map((cells): Row => ({
    features: Float32Array.from(statistics, ({ mean, spread }, c) => (Number(cells[c]) - mean) / spread),
    label: names.indexOf(cells.at(-1)!),
  }));
  const runs = Array.from({ length: SEEDS }, (_, seed) => {
    const random = randomOf(seed + 1);
    const order = rows
      .map((row) => ({ row, at: random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ row }) => row);
    const [first, second] = [Math.floor(rows.length * 0.2), Math.floor(rows.length * 0.7)];
    const own = order.slice(0, first);
    const shuffled = statistics.map((_, c) => ({ c, at: random() })).sort((a, b) => a.at - b.at);
    const isFirst = new Set(shuffled.slice(0, columns >> 1).map(({ c }) => c));
    const a = trained(own, (features) => features.filter((_, c) => isFirst.has(c)), names.length);
    const b = trained(own, (features) => features.filter((_, c) => !isFirst.has(c)), names.length);
    return teach(order.slice(first, second), order.slice(second), [a, b, liar(a)], names.length, seed);
  });
  report(basename(file), runs);
}

function trained(rows: readonly Row[], view: (features: Float32Array) => Float32Array, labels: number): Teacher {
  const spec = studentSpec({
    features: view(rows[0]!.features).length,
    labels: Array.from({ length: labels }, String),
    teachers: [],
    rate: 1,
  });
  const learner = new Learner(spec);
  for (let epoch = 0; epoch < 2 * EPOCHS; epoch += 1) {
    for (const { features, label } of rows) learner.learn({ features: view(features), label, scores: [] });
  }
  return ({ features }) => learner.readout.scores(view(features));
}

function shipped(): void {
  const nir = readFileSync('deploy/models/supersense/1/model.nir');
  const text = readFileSync('deploy/models/supersense/model.yaml', 'utf8').replace(/^golden.*$/m, '');
  const labels = readFileSync('deploy/models/supersense/labels.txt', 'utf8').trim().split('\n');
  const runner = (manifest: string): ((input: Float32Array) => Float32Array) => {
    const network = compileNetwork(nir, parseManifest(manifest));
    const simulator = new Simulator(network);
    return (input) => Float32Array.from(simulator.run(input, network.steps, Interrupt.never()).spikeCounts);
  };
  const readout = runner(text);
  const hidden = runner(text.replace(/node: output/, `node: ${HIDDEN}`).replace(/^labels.*$/m, ''));
  const TEMPERATURE = 1.95;
  const half =
    (from: number) =>
    (input: Float32Array): Float32Array => {
      const counts = readout(input.map((value, k) => (k >= from && k < from + input.length / 2 ? value : 0)));
      const parts = counts.map((count) => Math.exp((count - Math.max(...counts)) / TEMPERATURE));
      const total = parts.reduce((sum, part) => sum + part, 0);
      return parts.map((part) => part / total);
    };
  const items = readHeldout().map((item) => {
    const input = new Float32Array(new Uint8Array(item.data).buffer);
    return { label: labels.indexOf(item.label), features: hidden(input).map((count) => count / 16), input };
  });
  const scores = new Map(items.map((item) => [item as Row, [half(0)(item.input), half(384)(item.input)] as const]));
  const [a, b]: Teacher[] = [(row) => scores.get(row)![0], (row) => scores.get(row)![1]];
  const runs = Array.from({ length: FOLDS }, (_, fold) => {
    const held = items.filter((_, at) => at % FOLDS === fold);
    const stream = items.filter((_, at) => at % FOLDS !== fold);
    return teach(stream, held, [a!, b!, liar(a!)], labels.length, fold);
  });
  report('shipped texts', runs);
}

const HIDDEN = 'hidden';

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

const files = process.argv.slice(2);
if (files.length === 0) shipped();
for (const file of files) fromFile(file);
