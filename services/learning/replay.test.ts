// Replays the same log in both languages.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from '@jest/globals';
import { sidecarBinary } from '../../test/support/sidecar.ts';
import { FakePublisher, randomExamples, studentParts, studentSpec } from '../../test/support/learning.ts';
import { hex64 } from '../core/hex.ts';
import { xxh64 } from '../engines/xxh64.ts';
import { stateBytes } from './learner-state.ts';
import { replayLog } from './replay.ts';
import { Student, logPath } from './student.ts';

const SEED = 7;
const dir = mkdtempSync(join(tmpdir(), 'tandem-replay-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const replayInCpp = (file: string) => promisify(execFile)(sidecarBinary(), ['learn-replay', file]);

it('a learning log with commits and a rollback replays identically in TypeScript and C++', async () => {
  const student = await Student.open('s', studentParts(dir, new FakePublisher()));
  const spec = studentSpec({ features: 40, labels: ['x', 'y', 'z', 'u', 'v', 'w', 'p'], rate: 0.7 });
  await student.begin(spec);
  const learn = async (count: number, seed: number): Promise<void> => {
    for (const example of randomExamples(count, seed, spec)) await student.learn(example);
  };
  await learn(150, SEED);
  await student.commit();
  await learn(450, SEED + 1);
  expect(await student.commit()).toMatchObject({ outcome: { status: 'PUBLISHED' } });
  await student.rollBack(1);
  await learn(200, SEED + 2);
  await student.commit();
  await student.close();
  const file = logPath(dir, 's');
  const { learner, examples } = student.state;
  const digest = xxh64(stateBytes(learner!));
  expect(await replayLog(file)).toEqual({ examples, commits: 3, digest });
  const { stdout } = await replayInCpp(file);
  expect(stdout).toBe(`examples ${examples}\ncommits 3\nstate ${hex64(digest)}\n`);
});
