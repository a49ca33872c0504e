// A student with real models on real engines: a spiking base, a teacher that is right and one that never is.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import {
  type GetLearningStateResponse,
  LearningServiceClient,
  LearnRequest,
  type LearnResponse,
  type LearnStart,
  RollBackStudentRequest,
} from '../../services/generated/tandem/v1/learning.ts';
import { OperationServiceClient, OperationState } from '../../services/generated/tandem/v1/operations.ts';
import { promised } from '../support/promised.ts';
import { randomOf } from '../support/learning.ts';
import { ModelFolder } from '../support/model-folder.ts';
import { matrix } from '../support/nir-writer.ts';
import { run } from '../support/process.ts';
import { chain, node } from '../support/run-network.ts';
import { refusalOf } from '../support/refusal.ts';
import { type System, startSystem } from '../support/system.ts';

const SEED = 3;
const lif = node('LIF', { tau: [2, 2], r: [4, 4], v_leak: [0, 0], v_threshold: [1, 1] });
const network = (...rows: number[][]) => chain(2, 2, { dense: node('Linear', { weight: matrix(...rows) }), lif });
const manifest = 'dt: 1\nsteps: 8\ninput: {shape: [2]}\n';
const labelled = `${manifest}labels: [left, right]\n`;
const dir = mkdtempSync(join(tmpdir(), 'tandem-learn-'));
const folder = new ModelFolder()
  .add('good', 1, network([1, 0], [0, 1]), labelled)
  .add('liar', 1, network([0, 1], [1, 0]), labelled)
  .add('base', 1, network([1, -0.5], [-0.5, 1]), manifest);
/** A model of texts with only the known words "purrs" and "barks". */
const tokenizer = {
  normalizer: { type: 'BertNormalizer', lowercase: true },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  model: { type: 'WordPiece', unk_token: '?', vocab: { '?': 0, purrs: 1, barks: 2 } },
};
folder.add(
  'listener',
  1,
  chain(3, 2, { dense: node('Linear', { weight: matrix([0.1, 1, 0], [0.1, 0, 1]) }), lif }),
  'dt: 1\nsteps: 64\ninput: {shape: [3]}\ntokenizer: tokenizer.json\n',
);
writeFileSync(join(folder.path, 'listener/tokenizer.json'), JSON.stringify(tokenizer));
let system: System;
let client: LearningServiceClient;
let admin: LearningServiceClient;

const start = (): Promise<System> =>
  startSystem({
    ...{ models_dir: folder.path, default_model: 'good', spawn: { count: 1 } },
    learning: { dir: join(dir, 'students') },
    operations: { file: join(dir, 'operations.json') },
  });

async function restart(): Promise<void> {
  await stop();
  await begin();
}

async function begin(): Promise<void> {
  system = await start();
  client = new LearningServiceClient(system.address, grpc.credentials.createInsecure());
  admin = new LearningServiceClient(system.adminAddress, grpc.credentials.createInsecure());
}

async function stop(): Promise<void> {
  client.close();
  admin.close();
  await system.stop();
}

beforeAll(begin);

afterAll(async () => {
  await stop();
  folder.remove();
  rmSync(dir, { recursive: true, force: true });
});

/** The label names the larger number. */
function examples(count: number, seed: number): { encoding: number[]; label: string }[] {
  const random = randomOf(seed);
  return Array.from({ length: count }, (_, n) => {
    const encoding = [random(), random()];
    return { encoding, label: n % 3 === 2 ? '' : encoding[0]! > encoding[1]! ? 'left' : 'right' };
  });
}

type Sent = { encoding?: number[]; text?: string; label: string };

function learn(over: Partial<LearnStart>, sent: readonly Sent[], via = admin): Promise<LearnResponse> {
  return new Promise((resolve, reject) => {
    const stream = via.learn((error, response) => (error ? reject(error) : resolve(response)));
    const write = (what: LearnRequest['what']) => stream.write(LearnRequest.fromPartial({ what }));
    write({ $case: 'start', value: { student: 'pupil', teachers: ['good', 'liar'], ...over } as LearnStart });
    for (const value of sent)
      write({ $case: 'example', value: { encoding: [], text: '', ...value, tensor: undefined } });
    stream.end();
  });
}

const state = (student = 'pupil'): Promise<GetLearningStateResponse> =>
  promised((done) => client.getLearningState({ student }, done));

describe('a student', () => {
  it('learns from its teachers and is served by every engine', async () => {
    const { commits, learnt, heldOut, skipped, publishedVersion } = await learn({ base: 'base' }, examples(150, SEED));
    expect([learnt + heldOut, skipped, publishedVersion]).toEqual([150n, 0n, 1]);
    expect(commits[0]!.accuracy).toBeGreaterThan(0.85);
    const { attempts: _, ...one } = await system.reason({ model: 'pupil', encoding: [0.9, 0.1] });
    expect([one.label, one.modelVersion]).toEqual(['left', 1]);
    expect((await system.reason({ model: 'pupil', encoding: [0.1, 0.9], strategy: 5 })).grade).toBeGreaterThan(0);
  });

  it('learns from texts with a base that has a tokenizer, and then accepts texts itself', async () => {
    const random = randomOf(SEED);
    const times = (word: string): string => `${word} `.repeat(Math.floor(random() * 12));
    const texts = Array.from({ length: 200 }, () => {
      const [purrs, barks] = [times('purrs'), times('barks')];
      return { text: `${purrs}${barks}it`, label: purrs.length > barks.length ? 'cat' : 'dog' };
    });
    const plan = { student: 'vet', base: 'listener', teachers: [], labels: ['cat', 'dog'] };
    const { commits, publishedVersion } = await learn(plan, texts);
    expect([publishedVersion, commits.map(({ why }) => why)]).toEqual([1, ['']]);
    expect(commits[0]!.accuracy).toBeGreaterThan(0.8);
    expect((await system.reason({ model: 'vet', text: 'purrs purrs purrs it' })).label).toBe('cat');
    expect((await system.reason({ model: 'vet', text: 'barks barks barks it' })).label).toBe('dog');
  });

  it('reports its teachers’ weights and regret', async () => {
    const { teachers, publishedVersion } = (await state()).students[0]!;
    expect([publishedVersion, teachers.map(({ model }) => model)]).toEqual([1, ['good/1', 'liar/1']]);
    expect(teachers[0]!.weight).toBeGreaterThan(0.95);
    for (const { regret, regretBound } of teachers) expect(regret).toBeLessThanOrEqual(regretBound);
  });

  it('gives Coordinate its learnt weights', async () => {
    const answer = await new Promise<{ teachers: { weight: number }[]; label: string }>((resolve, reject) => {
      const request = {
        student: 'pupil',
        encoding: [0.9, 0.2],
        teachers: [],
        requestId: '',
        tensor: undefined,
        text: '',
        events: undefined,
      };
      client.coordinate({ ...request, strategy: 0, cache: 0, vote: undefined }, (error, response) =>
        error ? reject(error) : resolve(response),
      );
    });
    expect(answer.label).toBe('left');
    expect(answer.teachers[0]!.weight).toBeGreaterThan(0.95);
  });

  it('continues after a restart with the same bits, serves the new version, and can be rolled back by name', async () => {
    const before = (await state()).students[0]!.stateDigest;
    await restart();
    expect((await state()).students[0]!.stateDigest).toBe(before);
    await learn({ base: 'base' }, examples(100, SEED + 1));
    const { commits } = (await state()).students[0]!;
    expect(commits.map(({ version }) => version)).toEqual([1, 2]);
    await new Promise<void>((resolve, reject) => {
      const request = RollBackStudentRequest.fromPartial({ student: 'pupil', version: 1 });
      admin.rollBackStudent(request, (error) => (error ? reject(error) : resolve()));
    });
    expect((await system.reason({ model: 'pupil', encoding: [0.9, 0.1] })).modelVersion).toBe(1);
    expect((await state()).students[0]!.stateDigest).toBe(before);
  });

  it('is taught and shown by "tandem learn", and its log replays exactly', async () => {
    const file = join(dir, 'examples.csv');
    const rows = examples(60, SEED + 2).map(({ encoding, label }) => `${encoding.join(',')},${label}`);
    writeFileSync(file, ['a,b,label', '1,2,sideways', ...rows].join('\n'));
    const tandem = (...args: string[]) =>
      run('services/cli/main.ts', [...args, '--address', system.address, '--admin', system.adminAddress]).finished;
    const taught = await tandem('learn', file, '--student', 'reader', '--labels', 'left,right');
    expect([taught.stderr, taught.code]).toEqual(['', 0]);
    expect(taught.stdout).toContain('example 1: label "sideways"');
    expect((await tandem('learn', 'state', 'reader')).stdout).toContain('reader/1 is in use');
    const replayed = await tandem('learn', 'replay', join(dir, 'students/reader.log'));
    expect(replayed.stdout).toMatch(/^\d+ examples, 1 commits, each with the same bits/);
    expect((await tandem('operations')).stdout).toMatch(/learn-[0-9a-f]{12} +reader +succeeded/);
  });
});

describe('tandem learn --epochs', () => {
  it('reads the file this number of times', async () => {
    const file = join(dir, 'few.csv');
    writeFileSync(
      file,
      examples(12, SEED)
        .map(({ encoding, label }) => `${encoding.join(',')},${label || 'left'}\n`)
        .join(''),
    );
    const args = ['learn', file, '--student', 'often', '--labels', 'left,right', '--epochs', '3'];
    const { stdout } = await run('services/cli/main.ts', [
      ...args,
      '--address',
      system.address,
      '--admin',
      system.adminAddress,
      '--json',
    ]).finished;
    const { learnt, heldOut } = JSON.parse(stdout) as { learnt: string; heldOut: string };
    expect(Number(learnt) + Number(heldOut)).toBe(36);
  });

  it('needs a file, since standard input can be read only once', async () => {
    const args = ['learn', '-', '--student', 's', '--labels', 'a,b', '--epochs', '2'];
    const { code, stderr } = await run('services/cli/main.ts', args).finished;
    expect([code, stderr]).toEqual([2, expect.stringMatching(/standard input can be read once/)]);
  });
});

describe('a Learn call', () => {
  it('needs the role for changes', async () => {
    expect((await refusalOf(learn({}, [], client))).code).toBe('PERMISSION_DENIED');
  });

  it.each([
    [{ student: '../x' }, 'start.student'],
    [{ teachers: [], labels: ['one'] }, 'start.labels'],
    [{ labels: ['left', 'right'] }, 'start.labels'],
    [{ teachers: ['good', 'nobody'] }, 'start.teachers[1]'],
    [{ base: 'nobody' }, 'start.base'],
    [{ learningRate: NaN }, 'start.learning_rate'],
    [{ heldOutEvery: 1 }, 'start.held_out_every'],
    [{ student: 'good' }, 'start.student'],
    [{ teachers: ['good'], base: 'base' }, 'start.teachers'],
  ])('with %j is refused at %s', async (over, field) => {
    expect((await refusalOf(learn(over, examples(1, SEED)))).field).toBe(field);
  });

  it('ends when its operation is cancelled, and keeps the learnt state', async () => {
    const operations = new OperationServiceClient(system.adminAddress, grpc.credentials.createInsecure());
    const ended = new Promise<grpc.ServiceError | null>((resolve) => {
      const stream = admin.learn((error) => resolve(error));
      const value = { student: 'endless', teachers: [], labels: ['left', 'right'] } as unknown as LearnStart;
      stream.write(LearnRequest.fromPartial({ what: { $case: 'start', value } }));
      for (const example of examples(10, SEED)) {
        stream.write(LearnRequest.fromPartial({ what: { $case: 'example', value: { ...example, label: 'left' } } }));
      }
    });
    const find = () =>
      new Promise<string | undefined>((resolve, reject) => {
        operations.listOperations({ kind: 'learn' }, (error, response) => {
          if (error) reject(error);
          else resolve(response.operations.find(({ subject, done }) => subject === 'endless' && done >= 0n)?.id);
        });
      });
    let id: string | undefined;
    while ((id = await find()) === undefined) await new Promise((resolve) => setImmediate(resolve));
    const name = id;
    await new Promise((resolve) => operations.cancelOperation({ id: name }, resolve));
    expect((await ended)?.code).toBe(grpc.status.CANCELLED);
    const { operation } = await new Promise<{ operation: { state: OperationState } }>((resolve) =>
      operations.getOperation({ id: name }, (_, response) => resolve(response as never)),
    );
    expect(operation.state).toBe(OperationState.OPERATION_STATE_CANCELLED);
    operations.close();
  });
});
