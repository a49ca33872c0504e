// `npm run demo`: eight scenarios on real engines. Every claim is checked; one that does not hold ends it with exit code 1.
import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { Page } from './page.ts';
import { toSvg } from './recording.ts';
import type { Scenario } from './scenario.ts';
import { basic } from './scenarios/basic.ts';
import { batch } from './scenarios/batch.ts';
import { cache } from './scenarios/cache.ts';
import { monitoring } from './scenarios/monitoring.ts';
import { robot } from './scenarios/robot.ts';
import { strategies } from './scenarios/strategies.ts';
import { teachers } from './scenarios/teachers.ts';
import { vote } from './scenarios/vote.ts';
import { Stage } from './stage.ts';

/** How long the robot rides, seconds. */
const DEFAULT_SECONDS = 5;
const MAX_SECONDS = 600;
const scenarios = (seconds: number): readonly Scenario[] => {
  return [basic, batch, vote, teachers, strategies, cache, monitoring, robot(seconds)];
};
/** The terminal size for animated pictures; a smaller one gets lines. */
const PICTURE = { columns: 76, rows: 20 };
const NAMES = scenarios(DEFAULT_SECONDS).map(({ name }) => name);

await new Command('demo')
  .description('Show what Tandem does, on real engines.')
  .argument('[scenario...]', `which of ${NAMES.join(', ')}; all by default`)
  .option('--seconds <n>', 'how long the robot rides', wholeSeconds, DEFAULT_SECONDS)
  .option('--record <file>', 'also write the output as an animated SVG')
  .addHelpText(
    'after',
    '\nExamples: npm run demo\n          npm run demo -- robot --seconds 60\n          npm run demo -- vote --record vote.svg',
  )
  .action(async (wanted: string[], { record, seconds }: { record?: string; seconds: number }, command: Command) => {
    const unknown = wanted.find((name) => !NAMES.includes(name));
    if (unknown !== undefined) command.error(`There is no scenario "${unknown}". There are: ${NAMES.join(', ')}.`);
    const isWanted = ({ name }: Scenario): boolean => wanted.length === 0 || wanted.includes(name);
    await play(scenarios(seconds).filter(isWanted), record);
  })
  .parseAsync();

function wholeSeconds(text: string): number {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_SECONDS) return seconds;
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${MAX_SECONDS}.`);
}

async function play(scenarios: readonly Scenario[], record: string | undefined): Promise<void> {
  let output = '';
  const hasRoom =
    process.stdout.isTTY && process.stdout.columns >= PICTURE.columns && process.stdout.rows >= PICTURE.rows;
  const terminal = hasRoom && record === undefined ? process.stdout : undefined;
  const page = new Page((text) => {
    output += text;
    process.stdout.write(text);
  }, terminal);
  const startMs = performance.now();
  process.stdout.write('Starting a router, its TypeScript engine and three C++ engines …\n');
  const stage = await Stage.start();
  try {
    for (const [index, scenario] of scenarios.entries()) {
      page.title(`${index + 1} of ${scenarios.length}  ${scenario.title}`, scenario.why);
      await scenario.run(stage, page);
    }
  } finally {
    await stage.stop();
  }
  if (record !== undefined) writeFileSync(record, toSvg(output));
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(0);
  if (page.broken.length === 0) {
    process.stdout.write(`\nEverything above was checked while it ran, in ${seconds} s. Next: npm start\n`);
    return;
  }
  process.stderr.write(`\n${page.broken.length} of the claims above do not hold:\n`);
  for (const claim of page.broken) process.stderr.write(`  ${claim}\n`);
  process.exitCode = 1;
}
