// The end of `npm test`: adds up the reports of Jest and ctest, shows the failures of C++ (Jest shows its own), and
// ends with "N passed, N failed". Usage: node scripts/lib/tally.ts FOLDER SUITE… (suites: ts, cpp)
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Tally {
  passed: number;
  skipped: number;
  /** Names of failed tests; a suite that could not run counts as a failed test. */
  failed: string[];
  /** Names of tests that failed first and passed when their file ran again, alone. */
  passedAlone: string[];
}

interface JestReport {
  testResults: {
    name: string;
    status: string;
    assertionResults: { fullName: string; status: string }[];
  }[];
}

/** Jest's report, and the report of the files that ran once more, if any did. */
function tallyJest(path: string): Tally {
  const tally = emptyTally();
  const again = path.replace('.json', '-again.json');
  const second = new Map(existsSync(again) ? readReport(again).testResults.map((file) => [file.name, file]) : []);
  for (const first of readReport(path).testResults) {
    const file = second.get(first.name) ?? first;
    const failedFirst = new Set(first.assertionResults.filter(({ status }) => status === 'failed').map(nameOf));
    const passedNow = file.assertionResults.filter(({ status }) => status === 'passed').map(nameOf);
    if (file !== first) tally.passedAlone.push(...passedNow.filter((name) => failedFirst.has(name)));
    for (const test of file.assertionResults) {
      if (test.status === 'passed') tally.passed += 1;
      else if (test.status === 'failed') tally.failed.push(nameOf(test));
      else tally.skipped += 1;
    }
    const explained = file.assertionResults.some((test) => test.status === 'failed');
    if (file.status === 'failed' && !explained) tally.failed.push(`${file.name} (did not run)`);
  }
  return tally;
}

const emptyTally = (): Tally => ({ passed: 0, skipped: 0, failed: [], passedAlone: [] });

const readReport = (path: string): JestReport => JSON.parse(readFileSync(path, 'utf8')) as JestReport;

const nameOf = ({ fullName }: { fullName: string }): string => fullName;

/** ctest's JUnit file. A test in it is a program with GoogleTest cases, one case, or another command. */
function tallyCtest(path: string): Tally {
  const tally = emptyTally();
  for (const [, attributes = '', body = ''] of readFileSync(path, 'utf8').matchAll(
    /<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    const name = unescape(/\bname="([^"]*)"/.exec(attributes)?.[1] ?? '?');
    const status = /\bstatus="([^"]*)"/.exec(attributes)?.[1] ?? '?';
    const output = unescape(/<system-out>([\s\S]*?)<\/system-out>/.exec(body)?.[1] ?? '');
    const cases = (mark: string): string[] =>
      [...output.matchAll(new RegExp(`^\\[ *${mark} *\\] (\\S+?)(?:,.*)? \\(\\d+ ms\\)$`, 'gm'))].map(
        (match) => match[1]!,
      );

    const failed = cases('FAILED');
    const skipped = cases('SKIPPED').length;
    tally.skipped += skipped;
    if (status === 'run') {
      tally.passed += cases('OK').length || (output.includes('[==========]') ? 0 : 1);
    } else if (status === 'fail') {
      tally.passed += cases('OK').length;
      tally.failed.push(...(failed.length > 0 ? failed : [name]));
      console.log(`\n● ${name}\n\n${output.trimEnd().replaceAll(/^/gm, '    ')}`);
    } else if (status === 'disabled') {
      tally.skipped += 1;
    } else if (skipped === 0) {
      // "notrun" means a skipped test or a missing program, and a missing program must not count as skipped.
      tally.failed.push(`${name} (did not run)`);
    }
  }
  return tally;
}

function unescape(xml: string): string {
  return xml
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}

const SUITES: Record<string, { title: string; file: string; read: (path: string) => Tally; log: string }> = {
  ts: { title: 'TypeScript', file: 'ts.json', read: tallyJest, log: 'see above' },
  cpp: { title: 'C++', file: 'cpp.xml', read: tallyCtest, log: 'see .cache/test/cpp.log' },
};

const [folder = '', ...names] = process.argv.slice(2);
let passed = 0;
const failed: string[] = [];
const passedAlone: string[] = [];
const summary: string[] = [];
for (const name of names) {
  const suite = SUITES[name];
  if (suite === undefined) throw new Error(`unknown suite "${name}"`);
  const path = join(folder, suite.file);
  const tally: Tally = existsSync(path)
    ? suite.read(path)
    : { ...emptyTally(), failed: [`${suite.title}: the test runner left no result; ${suite.log}`] };
  if (tally.passed + tally.failed.length === 0) tally.failed.push(`${suite.title}: no test ran; ${suite.log}`);
  passed += tally.passed;
  failed.push(...tally.failed);
  passedAlone.push(...tally.passedAlone);
  const skipped = tally.skipped > 0 ? `, ${tally.skipped} skipped` : '';
  summary.push(`${suite.title.padEnd(10)}  ${tally.passed} passed, ${tally.failed.length} failed${skipped}`);
}

const list = (names: string[]): string => names.map((name) => `  ${name}`).join('\n');
if (passedAlone.length > 0) console.log(`\nPassed only when run again, alone:\n${list(passedAlone)}`);
if (failed.length > 0) console.log(`\nFailed:\n${list(failed)}`);
console.log(`\n${summary.join('\n')}\n\n${passed} passed, ${failed.length} failed`);
process.exitCode = failed.length > 0 ? 1 : 0;
