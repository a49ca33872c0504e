// Does a student learn more than its best teacher knows, with a liar among its teachers? `npx node test/load/learning.ts FILE.csv…`
//
// Each file has a label in its last column. Five-fold: of the rows that do not decide, a quarter trains two honest teachers, which
// each see a half of the columns, by chance; a third teacher says the next label where the first one is right. The student sees all
// columns of the other rows, half of them labelled, ten times. Without a file: the shipped model and texts. Its teachers see a half
// of each encoding; the student reads the spikes of its output neurons.
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

const EPOCHS = 10;
const SEEDS = 5;
const FOLDS = 5;
const RATE = 2;
/** Of a readout that sees the shipped model's own outputs. */
const SHIPPED_RATE = 1;
/** As its model.yaml says. */
const STEPS = 16;
const TEMPERATURE = 1.95;

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
  rate: number,
  seed: number,
): Run {
  const random = randomOf(seed);
  const spec = studentSpec({
    features: stream[0]!.features.length,
    labels: Array.from({ length: labels }, String),
    teachers: teachers.map((_, k) => `t${k}/1`),
    rate,
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

/** `groups`: folds that together have each row once. The best teacher is that of each fold, found with the rows that decide. */
function report(name: string, groups: readonly (readonly Run[])[]): void {
  const pairs = groups.map((folds) => folds.flatMap(pairsOf));
  const all = pairs.flat();
  const rate = (of: (pair: Pair) => boolean): number => all.filter(of).length / all.length;
  const [student, best] = [rate((pair) => pair.student), rate((pair) => pair.best)];
  const runs = groups.flat();
  const { weights } = runs.at(-1)!;
  console.log(
    `${name}, ${groups.length} × ${pairs[0]!.length} rows: student ${percent(student)}, best teacher ${percent(best)}, ` +
      `${((student - best) * 100).toFixed(1)} points; McNemar p ${pairs.map((each) => mcNemar(each).toExponential(1)).join(', ')}; ` +
      `last weights ${weights.map((weight) => weight.toFixed(3)).join(', ')}; regret ` +
      [...new Set(runs.map(({ regrets }) => regrets))].join(', '),
  );
}

function pairsOf({ outcomes }: Run): Pair[] {
  const right = outcomes[0]!.teachers.map((_, k) => outcomes.filter(({ teachers }) => teachers[k]).length);
  const best = indexOfLargest(right);
  return outcomes.map(({ student, teachers }) => ({ student, best: teachers[best]! }));
}

interface Pair {
  readonly student: boolean;
  readonly best: boolean;
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
    const order = shuffled(rows, random);
    const folds = Array.from({ length: FOLDS }, (_, fold) => {
      const rest = order.filter((_, at) => at % FOLDS !== fold);
      const own = rest.filter((_, at) => at % 4 === 0);
      const isFirst = new Set(shuffled([...statistics.keys()], random).slice(0, columns >> 1));
      const a = trained(own, (features) => features.filter((_, c) => isFirst.has(c)), names.length);
      const b = trained(own, (features) => features.filter((_, c) => !isFirst.has(c)), names.length);
      const stream = rest.filter((_, at) => at % 4 !== 0);
      const held = order.filter((_, at) => at % FOLDS === fold);
      return teach(stream, held, [a, b, liar(a)], names.length, RATE, seed);
    });
    return folds;
  });
  report(basename(file), runs);
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

function trained(rows: readonly Row[], view: (features: Float32Array) => Float32Array, labels: number): Teacher {
  const spec = studentSpec({
    features: view(rows[0]!.features).length,
    labels: Array.from({ length: labels }, String),
    teachers: [],
    rate: RATE,
  });
  const learner = new Learner(spec);
  for (let epoch = 0; epoch < EPOCHS; epoch += 1) {
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
    return { label: labels.indexOf(item.label), features: readout(input).map((count) => count / STEPS), input };
  });
  const scores = new Map(items.map((item) => [item as Row, [half(0)(item.input), half(384)(item.input)] as const]));
  const [a, b]: Teacher[] = [(row) => scores.get(row)![0], (row) => scores.get(row)![1]];
  const runs = Array.from({ length: FOLDS }, (_, fold) => {
    const held = items.filter((_, at) => at % FOLDS === fold);
    const stream = items.filter((_, at) => at % FOLDS !== fold);
    return teach(stream, held, [a!, b!, liar(a!)], labels.length, SHIPPED_RATE, fold);
  });
  report('shipped texts', [runs]);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

const files = process.argv.slice(2);
if (files.length === 0) shipped();
for (const file of files) fromFile(file);
