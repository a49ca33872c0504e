// `npm run accuracy`: the shipped models on held-out texts, through router and sidecar, compared with a linear
// classifier that was trained on the same split.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArguments } from '../support/arguments.ts';
import { table } from '../../services/cli/table.ts';
import type { ReasonResponse } from '../../services/generated/tandem/v1/reasoning.ts';
import { type Gloss, readGlosses } from '../support/glosses.ts';
import { startPostgres } from '../postgres/server.ts';
import { type HeldoutItem, readHeldout } from '../support/heldout.ts';
import { type System, startSystem } from '../support/system.ts';
import { randomTexts } from '../support/texts.ts';
import { compareTexts } from './equal-texts.ts';
import { DATA_SETS, readDataSet } from './learning/data-sets.ts';
import { ofDataSet, ofTexts } from './learning/experiment.ts';
import { readTexts } from './learning/text-rows.ts';
import { measureRecall } from './retrieval.ts';

const HELP = `Measures the shipped models on the held-out texts in test/data: supersense gets their encodings, supersense-text
gets their words.

Usage: npm run accuracy -- [options]

  --texts N   send N random texts to the local engine and a sidecar instead, and compare their answers bit by bit
  --retrieval how often the definition of given words is found among thousands, by words (BM25), meaning, and both
  --postgres  with --retrieval: search a real PostgreSQL with pgvector, too; PyPI's pgserver is installed if it is missing
  --learning  whether a student learns more than its best teacher knows, with a liar among three teachers, on held-out rows.
              Gets data sets of Python packages with pip; --set NAME does one of them
  --seed S    of the random texts or queries (default: drawn and printed)
  --json      print JSON for programs
  --help      this text

Examples: npm run accuracy
          npm run accuracy -- --texts 10000
          npm run accuracy -- --retrieval
          npm run accuracy -- --learning
`;

const { values } = parseArguments({
  options: {
    texts: { type: 'string' },
    retrieval: { type: 'boolean' },
    postgres: { type: 'boolean' },
    learning: { type: 'boolean' },
    set: { type: 'string', multiple: true },
    seed: { type: 'string' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});

const QUERIES = 1_000;
/** The set of the shipped model, among the sets of --learning. */
const TEXTS = 'glosses';
const AT_ONCE = 100;
/** The whole test split's encodings are not shipped; the reference simulator has measured them. */
const CARD = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../deploy/models/supersense/metrics.json'), 'utf8'),
) as { readonly test: { readonly accuracy: number } };
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;

if (values.help) process.stdout.write(HELP);
else if (values.retrieval) await printRecall();
else if (values.learning) printLearning();
else if (values.texts === undefined) await measured(printAccuracy);
else await measured(printEqual);

async function measured(print: (system: System) => Promise<void>): Promise<void> {
  const system = await startSystem({ models_dir: 'deploy/models', spawn: { count: 1 }, vote: { participants: 2 } });
  try {
    await print(system);
  } finally {
    await system.stop();
  }
}

async function printAccuracy(system: System): Promise<void> {
  const heldout = readHeldout();
  const share = (isRight: (index: number) => boolean): number =>
    heldout.filter((_, index) => isRight(index)).length / heldout.length;
  const vectors = await answersTo(system, heldout, ({ data }) => ({ tensor: { shape: [768], dtype: 'FP32', data } }));
  const texts = await answersTo(system, heldout, ({ text }) => ({ text, model: 'supersense-text' }));
  const split = readGlosses().filter(({ isTest }) => isTest);
  const ofSplit = await answersTo(system, split, ({ text }) => ({ text, model: 'supersense-text' }));
  const splitShare = ofSplit.filter(({ label }, index) => label === split[index]?.label).length / split.length;
  const figures = (answers: readonly ReasonResponse[]): { accuracy: number; confidence: number; spikes: number } => ({
    accuracy: share((index) => answers[index]?.label === heldout[index]?.label),
    confidence: answers.reduce((sum, { confidence }) => sum + confidence, 0) / answers.length,
    spikes: answers.reduce((sum, { totalSpikes }) => sum + Number(totalSpikes), 0) / answers.length,
  });
  const [vector, text] = [figures(vectors), figures(texts)];
  const result = {
    texts: heldout.length,
    accuracy: vector.accuracy,
    text_accuracy: text.accuracy,
    split_texts: split.length,
    split_text_accuracy: splitShare,
    split_accuracy: CARD.test.accuracy,
    linear_accuracy: share((index) => heldout[index]?.linear_label === heldout[index]?.label),
    mean_confidence: vector.confidence,
    text_mean_confidence: text.confidence,
    mean_total_spikes: vector.spikes,
    text_mean_total_spikes: text.spikes,
  };
  const row = (name: string, { accuracy, confidence, spikes }: typeof vector): string[] => [
    ...[name, percent(accuracy), percent(confidence), spikes.toFixed(0)],
  ];
  const people = table(
    ['MODEL', 'ACCURACY', 'MEAN CONFIDENCE', 'SPIKES/TEXT'],
    [
      row('supersense (spiking, from encodings)', vector),
      row('supersense-text (spiking, from words)', text),
      ['linear classifier (from encodings)', percent(result.linear_accuracy), '-', '-'],
    ],
  );
  const whole = `whole test split, ${split.length} texts: supersense-text ${percent(splitShare)}, supersense ${percent(CARD.test.accuracy)} (its card)`;
  print(result, `${people}\n${result.texts} held-out texts, 45 classes\n${whole}`);
}

async function printEqual(system: System): Promise<void> {
  const compared = await compareTexts(system, randomTexts(Number(values.texts), seed));
  const { texts, equal, firstOther } = compared;
  const people = `${equal} of ${texts} texts: the same bits from the local engine and the sidecar (seed ${seed})`;
  print({ ...compared, seed }, firstOther === '' ? people : `${people}\nfirst other: ${firstOther}`);
  if (equal !== texts) process.exitCode = 1;
}

async function printRecall(): Promise<void> {
  const server = values.postgres ? await startPostgres() : undefined;
  try {
    const recall = await measureRecall(QUERIES, seed, server?.url);
    const { postgres } = recall;
    const rows: string[][] = [
      ['words (BM25)', percent(recall.words)],
      ['meaning (int8 cosine)', percent(recall.meaning)],
      ['both, fused', percent(recall.both)],
      ...(postgres === undefined ? [] : [['both, fused, in PostgreSQL', percent(postgres.both)]]),
    ];
    const what = `${recall.queries} held-out queries among ${recall.documents} held-out documents (seed ${seed})`;
    const equal =
      postgres === undefined
        ? ''
        : `\nby meaning, PostgreSQL gives the same 10 in the same order for ${percent(postgres.equalByMeaning)} of them`;
    print(recall, `${table(['SEARCH BY', 'RECALL@10'], rows)}\n${what}${equal}`);
  } finally {
    await server?.remove();
  }
}

function printLearning(): void {
  const outcomes = (values.set ?? [...DATA_SETS, TEXTS]).map((name) =>
    name === TEXTS ? ofTexts(readTexts()) : ofDataSet(readDataSet(name)),
  );
  const rows = outcomes.map(({ name, rows, student, best, p, weights, isRegretUnderBound }) => [
    ...[name, String(rows), percent(student), percent(best), ((student - best) * 100).toFixed(1), p.toExponential(1)],
    ...[weights.map((weight) => weight.toFixed(3)).join(' '), isRegretUnderBound ? 'under' : 'ABOVE'],
  ]);
  const head = [
    'DATA',
    'HELD-OUT ROWS',
    'STUDENT',
    'BEST TEACHER',
    'POINTS',
    'P',
    'LAST WEIGHTS',
    'REGRET TO ITS BOUND',
  ];
  print(
    outcomes,
    `${table(head, rows)}\nthe third teacher is a liar; test/load/learning/experiment.ts says what was done`,
  );
}

/** A few at a time, since the router refuses inputs that would wait too long. */
async function answersTo<Item extends HeldoutItem | Gloss>(
  system: System,
  items: readonly Item[],
  request: (item: Item) => Parameters<System['reason']>[0],
): Promise<ReasonResponse[]> {
  const answers: ReasonResponse[] = [];
  for (let from = 0; from < items.length; from += AT_ONCE) {
    answers.push(...(await Promise.all(items.slice(from, from + AT_ONCE).map((item) => system.reason(request(item))))));
  }
  return answers;
}

function print(result: object, people: string): void {
  process.stdout.write(values.json ? `${JSON.stringify(result, null, 2)}\n` : `${people}\n`);
}
