// The client packages of all languages against one router: equal answers, equal errors.
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from './run.ts';
import { type System, startSystem } from '../support/system.ts';
import { LANGUAGES, type Language } from './languages.ts';

const BUILD_TIMEOUT_MS = 900_000;
const TEXTS = ['a small furry animal', 'a musical instrument with strings', 'to run very fast'];

/** `npm run test:clients -- python go` names some of them; none: all. */
const wanted = (process.env['TANDEM_CLIENTS'] ?? '').split(' ').filter((name) => name !== '');

let system: System;
let expected: string;
/** Language, milliseconds until the package was built, and until the example had its answers. */
const times: [string, number, number][] = [];

beforeAll(async () => {
  system = await startSystem({ models_dir: 'deploy/models', spawn: { count: 1 } });
  const answers = await Promise.all(TEXTS.map((text) => system.reason({ text })));
  const [first, last] = [answers[0]!, answers.at(-1)!];
  expected = [
    `answer: ${first.label} ${hex(first.stateDigest)}`,
    `stream: ${TEXTS.length} answers, ${hex(last.stateDigest)} of the last`,
    'error: INPUT_LENGTH',
    '',
  ].join('\n');
}, 60_000);

afterAll(async () => {
  await system.stop();
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1).padStart(6)} s`;
  process.stdout.write('From this clone to the first answers:\nLANGUAGE     PACKAGE  ANSWERS\n');
  for (const [name, madeMs, answeredMs] of times) {
    process.stdout.write(`${name.padEnd(11)} ${seconds(madeMs)} ${seconds(answeredMs)}\n`);
  }
});

const hex = (digest: bigint): string => digest.toString(16).padStart(16, '0');

function missing({ needs }: Language): string[] {
  return needs.filter((program) => spawnSync('bash', ['-c', `command -v ${program}`]).status !== 0);
}

describe('the example of', () => {
  for (const language of LANGUAGES.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    const lacks = missing(language);
    if (lacks.length > 0) {
      it.skip(`${language.name}: not on PATH: ${lacks.join(', ')}`, () => undefined);
      continue;
    }
    it(
      `${language.name} prints the answer, the digests and the reason of the error`,
      async () => {
        const start = performance.now();
        await run(language.build, {});
        const madeMs = performance.now() - start;
        expect(await run(language.run, { ADDRESS: system.address })).toBe(expected);
        times.push([language.name, madeMs, performance.now() - start]);
        if (language.test !== undefined) await run(language.test, {});
      },
      BUILD_TIMEOUT_MS,
    );
  }
});
