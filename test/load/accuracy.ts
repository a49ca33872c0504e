// `npm run accuracy`: the shipped models on real texts that they never saw, through router and sidecar, beside a linear
// classifier that was trained on the same split.
import { parseArgs } from 'node:util';
import { table } from '../../services/cli/table.ts';
import type { ReasonResponse } from '../../services/generated/tandem/v1/reasoning.ts';
import { type HeldoutItem, readHeldout } from '../support/heldout.ts';
import { type System, startSystem } from '../support/system.ts';
import { randomTexts } from '../support/texts.ts';
import { compareTexts } from './equal-texts.ts';

const HELP = `Measures the shipped models on the held-out texts in test/data: supersense gets their encodings, supersense-text
gets their words.

Usage: npm run accuracy -- [options]

  --texts N   send N random texts to the local engine and a sidecar instead, and compare their answers bit by bit
  --seed S    of the random texts (default: drawn and printed)
  --json      print JSON for programs
  --help      this text

Examples: npm run accuracy
          npm run accuracy -- --texts 10000
`;

const { values } = parseArgs({
  options: {
    texts: { type: 'string' },
    seed: { type: 'string' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});

const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;

if (values.help) process.stdout.write(HELP);
else if (values.texts === undefined) await measured(printAccuracy);
else await measured(printEqual);

async function measured(print: (system: System) => Promise<void>): Promise<void> {
  const system = await startSystem({ spawn: { count: 1 }, vote: { participants: 2 } });
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
  print(result, `${people}\n${result.texts} held-out texts, 45 classes`);
}

async function printEqual(system: System): Promise<void> {
  const compared = await compareTexts(system, randomTexts(Number(values.texts), seed));
  const { texts, equal, firstOther } = compared;
  const people = `${equal} of ${texts} texts: the same bits from the local engine and the sidecar (seed ${seed})`;
  print({ ...compared, seed }, firstOther === '' ? people : `${people}\nfirst other: ${firstOther}`);
  if (equal !== texts) process.exitCode = 1;
}

function answersTo(
  system: System,
  heldout: readonly HeldoutItem[],
  request: (item: HeldoutItem) => Parameters<System['reason']>[0],
): Promise<ReasonResponse[]> {
  return Promise.all(heldout.map((item) => system.reason(request(item))));
}

function print(result: object, people: string): void {
  process.stdout.write(values.json ? `${JSON.stringify(result, null, 2)}\n` : `${people}\n`);
}
