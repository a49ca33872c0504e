// `npm run accuracy`: the shipped model on real texts it never saw, through router and sidecar, beside a linear
// classifier that was trained on the same split.
import { parseArgs } from 'node:util';
import { table } from '../../services/cli/table.ts';
import { readHeldout } from '../support/heldout.ts';
import { startSystem } from '../support/system.ts';

const HELP = `Measures the accuracy of the model supersense on the held-out encodings in test/data.

Usage: npm run accuracy -- [--json]

Example: npm run accuracy
`;

const { values } = parseArgs({ options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } });
if (values.help) {
  process.stdout.write(HELP);
} else {
  const heldout = readHeldout();
  const system = await startSystem({ spawn: { count: 1 } });
  const answers = await Promise.all(
    heldout.map(({ data }) => system.reason({ tensor: { shape: [768], dtype: 'FP32', data } })),
  );
  await system.stop();
  const share = (right: (index: number) => boolean): number =>
    heldout.filter((_, index) => right(index)).length / heldout.length;
  const result = {
    texts: heldout.length,
    accuracy: share((index) => answers[index]?.label === heldout[index]?.label),
    linear_accuracy: share((index) => heldout[index]?.linear_label === heldout[index]?.label),
    mean_confidence: answers.reduce((sum, { confidence }) => sum + confidence, 0) / heldout.length,
    mean_total_spikes: answers.reduce((sum, { totalSpikes }) => sum + Number(totalSpikes), 0) / heldout.length,
  };
  const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;
  const people = table(
    ['MODEL', 'ACCURACY', 'MEAN CONFIDENCE', 'SPIKES/TEXT'],
    [
      [
        'supersense (spiking)',
        percent(result.accuracy),
        percent(result.mean_confidence),
        result.mean_total_spikes.toFixed(0),
      ],
      ['linear classifier', percent(result.linear_accuracy), '-', '-'],
    ],
  );
  process.stdout.write(
    values.json ? `${JSON.stringify(result, null, 2)}\n` : `${people}\n${result.texts} held-out texts, 45 classes\n`,
  );
}
