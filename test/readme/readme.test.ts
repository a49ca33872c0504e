// README.md, docs/ and CONTRIBUTING.md, followed like a new user: every command is typed, every example run, and every
// figure printed by a command.
import { copyFileSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { FakeCollector } from '../fakes/fake-collector.ts';
import { blocksOf, commandsOf, inlineCommandsOf, localAddressesOf } from '../support/markdown.ts';
import { until } from '../support/until.ts';
import { DOCS_TRIES } from './docs-tries.ts';
import { NOT_TRIED } from './not-tried.ts';
import { TRIES } from './tries.ts';
import type { Beside, Try } from './try.ts';
import { type Terminal, User } from './user.ts';

const SET_UP_MS = 3_000_000; // the C++ engine on two busy cores
const GOES_ON_MS = 120_000;
jest.setTimeout(SET_UP_MS);

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = process.env['TANDEM_README_FOLDER']!;
const COMPOSE = process.env['TANDEM_COMPOSE'];
const user = new User(FOLDER, [join(ROOT, '.cache/grpcurl')], { COMPOSE_PROJECT_NAME: `tandemreadme${process.pid}` });

const ALL_TRIES = [...TRIES, ...DOCS_TRIES];

// --- the content of the pages
// -------------------------------------------------------------------------------------------------

const readme = readFileSync(join(FOLDER, 'README.md'), 'utf8');
const docs = readdirSync(join(FOLDER, 'docs')).filter((name) => name.endsWith('.md'));
const pages = [...docs.map((name) => join('docs', name)), 'CONTRIBUTING.md'].map((path) =>
  readFileSync(join(FOLDER, path), 'utf8'),
);
const firstLine = (text: string): string => text.split('\n')[0]!;
const blocks = new Map(
  [readme, ...pages]
    .flatMap(blocksOf)
    .filter(({ language }) => language !== 'sh')
    .map(({ text }) => [firstLine(text), text]),
);
const found = (page: string): string[] => [
  ...blocksOf(page).flatMap(({ language, text }) => (language === 'sh' ? commandsOf(text) : [firstLine(text)])),
  ...inlineCommandsOf(page),
  ...localAddressesOf(page),
];
const inPages = new Set([readme, ...pages].flatMap(found));
const known = [...ALL_TRIES, ...NOT_TRIED].map(({ what }) => what);

describe('README.md and docs/', () => {
  it('have no untried command, example or figure without a reason', () => {
    expect([...inPages].filter((what) => !known.includes(what))).toEqual([]);
  });

  it('contain everything that is tried, or left out with a reason', () => {
    expect(known.filter((what) => !inPages.has(what))).toEqual([]);
  });
});

// --- trying it ------------------------------------------------------------------------------------------------------------

/** The same with the installed compose command. */
const asHere = (command: string): string => command.replaceAll('docker compose', COMPOSE ?? 'docker compose');

const written = new Set<string>();

function write(file: string, text: string): void {
  written.add(file);
  writeFileSync(join(FOLDER, file), text);
}

async function tryIt({ what, runs, file, goesOn, prints }: Try): Promise<void> {
  const text = blocks.get(what) ?? what;
  const pattern = prints instanceof RegExp ? prints : prints(text);
  if (file !== undefined) write(file, `${text}\n`);
  const command = asHere(runs ?? what);
  process.stderr.write(`  $ ${command}\n`); // Jest reports a file at its end
  if (!goesOn) {
    expect(await user.run(command)).toMatch(pattern);
    return;
  }
  const terminal = user.start(command);
  try {
    await terminal.prints(pattern, GOES_ON_MS);
  } finally {
    await terminal.close();
  }
}

const title = ({ what, runs, because }: Try): string =>
  because === undefined ? what : `${what} (${runs}: ${because})`;

const tries = (beside: Beside, test: typeof it | typeof it.skip = it): void => {
  const rows = ALL_TRIES.filter((each) => each.beside === beside && !STAGES.has(each.what));
  for (const each of rows) test(title(each), () => tryIt(each));
};

/** Commands during which others run; they have separate tests below. */
const OTEL_START =
  'TANDEM_TRACING_RATIO=1 OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317 OTEL_EXPORTER_OTLP_PROTOCOL=grpc npm start';
const STAGES = new Set(['npm start', 'docker compose up', OTEL_START]);
const stage = (what: string): RegExp => TRIES.find((each) => each.what === what)!.prints as RegExp;

describe('npm start', () => {
  let start: Terminal;

  beforeAll(async () => {
    const beganMs = performance.now();
    writeInputs();
    start = user.start('npm start');
    await start.prints(stage('npm start'), SET_UP_MS);
    process.stderr.write(`  npm start: set up and ready in ${((performance.now() - beganMs) / 1_000).toFixed(0)} s\n`);
  });

  afterAll(async () => {
    await start.close();
    for (const file of written) rmSync(join(FOLDER, file)); // `npm run check` reads what is in the folder
    rmSync(join(FOLDER, 'deploy/models/net'), { recursive: true, force: true });
    rmSync(join(FOLDER, 'deploy/models/pets'), { recursive: true, force: true });
  });

  tries('npm start');

  it('stops on Ctrl-C', async () => {
    expect(await start.ctrlC()).toBe(0);
    expect(start.printed).toMatch(/Stopped\.$/m);
  });
});

/** Files that the pages expect from the user: inputs, examples, a network, and a recorded dispute. */
function writeInputs(): void {
  copyFileSync(join(FOLDER, 'test/conformance/cases/constant-lif.nir'), join(FOLDER, 'net.nir'));
  written.add('net.nir');
  write('input.json', '[0.1, 0.2, 0.3, 0.4]');
  write('numbers.json', '[0.9, 0.1]');
  const pets = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? `0.9${n},0.1,cat` : `0.1,0.9${n},dog`));
  write('pets.csv', `${pets.join('\n')}\n`);
  const input = Array<number>(768).fill(0.03);
  write('inputs.jsonl', `${JSON.stringify(input)}\n${JSON.stringify(input)}\n`);
  write('examples.jsonl', `${JSON.stringify({ encoding: input })}\n`.repeat(10));
  const ballot = { state_digest: '', readout_digest: '', outcome: 'DISSENTED', why: '' };
  const record = {
    ...{ time: '2026-11-22T00:00:00.000Z', request_id: 'a', model: 'supersense', model_version: 1, model_id: '' },
    ...{ strategy: 'REDUNDANT', verdict: 'DISPUTED', shape: [768] },
    input_f32_base64: Buffer.from(Float32Array.from(input).buffer).toString('base64'),
    ballots: ['engine-1', 'engine-2'].map((engine) => ({ engine, ...ballot })),
  };
  write('disputes.jsonl', `${JSON.stringify(record)}\n`);
}

describe('with a collector on 127.0.0.1:4317', () => {
  it(`${OTEL_START} sends it spans`, async () => {
    const collector = await new FakeCollector(4317).start();
    const start = user.start(OTEL_START);
    try {
      await start.prints(stage(OTEL_START), GOES_ON_MS);
      await user.run('npx tandem reason --sample dog --strategy REDUNDANT');
      await until(() => collector.spans.length > 0, { what: 'spans', timeoutMs: 30_000 });
    } finally {
      await start.close();
      collector.stop();
    }
  });
});

describe('with nothing running', () => {
  tries('nothing');
});

describe(COMPOSE === undefined ? 'docker compose up (skipped: no Docker Engine)' : 'docker compose up', () => {
  let up: Terminal | undefined;

  if (COMPOSE !== undefined) {
    beforeAll(async () => {
      up = user.start(asHere('docker compose up'));
      await up.prints(stage('docker compose up'), SET_UP_MS);
      const reason = (): Promise<string> => user.run('npx tandem reason --sample dog');
      await until(reason, { what: 'the first answer', timeoutMs: 60_000 });
    });

    afterAll(async () => {
      await up?.close();
      await user.run(`${COMPOSE} --profile metrics down --volumes`);
    });
  }

  tries('docker compose up', COMPOSE === undefined ? it.skip : it);
});
