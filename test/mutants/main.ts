// `npm run test:mutants`: small changes to the product's code, and whether a test detects each. See --help.
import { readFileSync, writeFileSync } from 'node:fs';
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
  readonly again?: string;
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
  .addOption(
    new Option('--again <file>', 'judge again what survived in a file that --json has written; update the file'),
  )
  .addOption(new Option('--list', 'print the mutants of the seed and stop'))
  .addHelpText(
    'after',
    `
Mutants that do not build are replaced by others. Known equivalent mutants are in test/mutants/equivalent.ts.
The working copies are in .cache. Ends with 1 if fewer than the bar are killed.

Examples: npm run test:mutants -- --cpp --count 40 --seed 7
          npm run test:mutants -- --quick --count 200 --json mutants.json
          npm run test:mutants -- --again mutants.json`,
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

/** The mutants to judge. Many more than requested, since some do not build. */
function choose(suite: Suite, { only, list, count, seed }: Options): Mutant[] {
  const possible = suite.mutants().filter(({ file }) => file.includes(only));
  console.log(`${suite.name}: ${possible.length} possible mutants, seed ${seed}`);
  return sample(possible, list ? count : count * 3, seed);
}

/** Judges `mutants` until `count` of them could be judged. `report` gets every verdict. */
async function judgeAll(
  suite: Suite,
  mutants: readonly Mutant[],
  count: number,
  report: (judged: Judged, text: string) => void,
): Promise<void> {
  const beganMs = performance.now();
  const seconds = (): number => Math.round((performance.now() - beganMs) / 1_000);
  await suite.prepare(mutants, (text) => console.log(`  … ${text} (${seconds()} s)`));
  let counted = 0;
  let underWay = 0;
  const queue = mutants.values(); // shared: a free worker takes the next one
  const worker = async (): Promise<void> => {
    while (counted + underWay < count) {
      const { value: mutant } = queue.next();
      if (mutant === undefined) return;
      underWay += 1;
      const judgement = await judge(suite, mutant);
      underWay -= 1;
      if (judgement.verdict !== 'not built') counted += 1;
      report({ ...mutant, judgement }, `[${counted}/${count}, ${seconds()} s]`);
    }
  };
  await Promise.all(Array.from({ length: suite.atOnce }, worker));
}

/** The same change on the present code, in which its line may have another number. */
function find(mutants: readonly Mutant[], wanted: Mutant): Mutant {
  const same = mutants.filter((mutant) => isSame(mutant, wanted));
  const distance = ({ line }: Mutant): number => Math.abs(line - wanted.line);
  const [nearest] = same.sort((a, b) => distance(a) - distance(b));
  if (nearest === undefined) throw new Error(`This line has changed since; choose mutants anew.\n${describe(wanted)}`);
  return nearest;
}

const isSame = (a: Mutant, b: Mutant): boolean => a.file === b.file && a.before === b.before && a.after === b.after;

/** The report of an earlier run, with its mutants on the present code. */
function readReport(path: string, suite: Suite): Judged[] {
  const mutants = suite.mutants();
  const report = JSON.parse(readFileSync(path, 'utf8')) as Judged[];
  return report.map((judged) => {
    return judged.judgement.verdict === 'survived' ? { ...judged, line: find(mutants, judged).line } : judged;
  });
}

async function main(options: Options): Promise<number> {
  const suite = suiteOf(options);
  const judged = options.again === undefined ? [] : readReport(options.again, suite);
  const survivors = judged.filter(({ judgement }) => judgement.verdict === 'survived');
  const chosen = options.again === undefined ? choose(suite, options) : survivors;
  if (options.list) {
    for (const mutant of chosen) console.log(describe(mutant));
    return 0;
  }
  const json = options.json ?? options.again;
  await judgeAll(suite, chosen, options.again === undefined ? options.count : chosen.length, (mutant, progress) => {
    console.log(`${progress} ${describe(mutant)}\n    ${textOf(mutant.judgement)}`);
    const at = judged.findIndex((earlier) => earlier.line === mutant.line && isSame(earlier, mutant));
    if (at < 0) judged.push(mutant);
    else judged[at] = mutant;
    if (json) writeFileSync(json, `${JSON.stringify(judged, null, 2)}\n`);
  });
  return summary(judged, options.bar);
}

function summary(judged: readonly Judged[], bar: number): number {
  const count = (verdict: string): number => judged.filter(({ judgement }) => judgement.verdict === verdict).length;
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
      `${percent.toFixed(1)} % killed, bar ${bar} %`,
  );
  return percent >= bar ? 0 : 1;
}

program.parse();
process.exitCode = await main(program.opts<Options>());
