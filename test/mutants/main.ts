// `npm run test:mutants`: small changes to the product's code, and whether a test notices each. See --help.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError, Option } from 'commander';
import { CppSuite } from './cpp.ts';
import { EQUIVALENT } from './equivalent.ts';
import type { Judgement, Mutant, Suite } from './mutant.ts';
import { sample } from './sample.ts';
import { TypeScriptSuite } from './typescript.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Judged extends Mutant {
  readonly judgement: Judgement | { readonly verdict: 'equivalent'; readonly why: string };
}

interface Options {
  readonly cpp?: boolean;
  readonly count: number;
  readonly seed: number;
  readonly only: string;
  readonly bar: number;
  readonly json?: string;
  readonly list?: boolean;
  readonly atOnce: number;
  readonly quick?: boolean;
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It takes a whole number.');
  return Number(text);
}

const program = new Command('npm run test:mutants --')
  .description('Change the code in small ways, one at a time, and report the changes that no test notices.')
  .addOption(new Option('--cpp', 'change the C++ engine, and not the router'))
  .addOption(new Option('--count <n>', 'number of mutants').argParser(wholeNumber).default(40))
  .addOption(
    new Option('--seed <s>', 'choose the mutants by this seed')
      .argParser(wholeNumber)
      .default(Date.now() % 1_000_000, 'taken from the clock'),
  )
  .addOption(new Option('--only <text>', 'only in files whose path contains this text').default(''))
  .addOption(
    new Option('--at-once <n>', 'mutants of the router judged at the same time').argParser(wholeNumber).default(2),
  )
  .addOption(new Option('--quick', 'judge mutants of the router only by the unit tests near them'))
  .addOption(new Option('--bar <percent>', 'share that must be killed').argParser(wholeNumber).default(85))
  .addOption(new Option('--json <file>', 'also write each mutant and its verdict as JSON'))
  .addOption(new Option('--list', 'print the mutants of the seed and stop'))
  .addHelpText(
    'after',
    `
Mutants that do not build are replaced by others. Known equivalent mutants are in test/mutants/equivalent.ts.
The working copies are in .cache. Ends with 1 if fewer than the bar are killed.

Example: npm run test:mutants -- --cpp --count 40 --seed 7`,
  );

function suiteOf(options: Options): Suite {
  return options.cpp ? new CppSuite(ROOT) : new TypeScriptSuite(ROOT, options.atOnce, options.quick ?? false);
}

function reasonOf({ file, before, after }: Mutant): string | undefined {
  return EQUIVALENT.find((known) => {
    return known.file === file && known.before === before.trim() && known.after === after.trim();
  })?.why;
}

function describe({ file, line, operator, before, after }: Mutant): string {
  return `${file}:${line} (${operator})\n    - ${before.trim()}\n    + ${after.trim()}`;
}

async function judge(suite: Suite, mutant: Mutant): Promise<Judged['judgement']> {
  const why = reasonOf(mutant);
  return why === undefined ? await suite.judge(mutant) : { verdict: 'equivalent', why };
}

function textOf(judgement: Judged['judgement']): string {
  if (judgement.verdict === 'killed') return `killed by ${judgement.by}`;
  return judgement.verdict === 'equivalent' ? `equivalent: ${judgement.why}` : judgement.verdict;
}

async function main(options: Options): Promise<number> {
  const suite = suiteOf(options);
  const possible = suite.mutants().filter(({ file }) => file.includes(options.only));
  // More than asked for: some will not build.
  const chosen = sample(possible, options.list ? options.count : options.count * 3, options.seed);
  console.log(`${suite.name}: ${possible.length} possible mutants, seed ${options.seed}`);
  if (options.list) {
    for (const mutant of chosen) console.log(describe(mutant));
    return 0;
  }
  const beganMs = performance.now();
  const seconds = (): number => Math.round((performance.now() - beganMs) / 1_000);
  await suite.prepare(chosen, (text) => console.log(`  … ${text} (${seconds()} s)`));
  const judged: Judged[] = [];
  const count = (verdict: string): number => judged.filter(({ judgement }) => judgement.verdict === verdict).length;
  let underWay = 0;
  const queue = chosen.values(); // shared: a worker that is free takes the next one
  const worker = async (): Promise<void> => {
    while (judged.length - count('not built') + underWay < options.count) {
      const { value: mutant } = queue.next();
      if (mutant === undefined) return;
      underWay += 1;
      const judgement = await judge(suite, mutant);
      underWay -= 1;
      judged.push({ ...mutant, judgement });
      const counted = judged.length - count('not built');
      console.log(`[${counted}/${options.count}, ${seconds()} s] ${describe(mutant)}\n    ${textOf(judgement)}`);
      if (options.json) writeFileSync(options.json, `${JSON.stringify(judged, null, 2)}\n`);
    }
  };
  await Promise.all(Array.from({ length: suite.atOnce }, worker));
  for (const verdict of ['survived', 'equivalent']) {
    console.log(`\n${verdict}: ${count(verdict)}`);
    for (const { judgement, ...mutant } of judged) {
      if (judgement.verdict === verdict) console.log(`  ${describe(mutant)}`);
    }
  }
  const [killed, survived] = [count('killed'), count('survived')];
  const percent = (100 * killed) / Math.max(1, killed + survived);
  console.log(
    `\n${killed} killed, ${survived} survived, ${count('equivalent')} equivalent, ${count('not built')} not built: ` +
      `${percent.toFixed(1)} % killed, bar ${options.bar} %, seed ${options.seed}, ${seconds()} s`,
  );
  return percent >= options.bar ? 0 : 1;
}

program.parse();
process.exitCode = await main(program.opts<Options>());
