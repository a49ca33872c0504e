// A router that is killed at random moments while a student learns: no answered commit may be lost, and no version may
// be incomplete.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as grpc from '@grpc/grpc-js';
import {
  GetLearningStateRequest,
  LearnRequest,
  type LearnResponse,
  LearningServiceClient,
  StudentState,
} from '../../services/generated/tandem/v1/learning.ts';
import { type Model, ModelServiceClient } from '../../services/generated/tandem/v1/models.ts';
import { replayLog } from '../../services/learning/replay.ts';
import { randomOf } from '../support/learning.ts';
import { ModelFolder } from '../support/model-folder.ts';
import { type RouterProcess, startRouter } from '../support/router-process.ts';
import { matrix } from '../support/nir-writer.ts';
import { chain, node } from '../support/run-network.ts';

const STUDENT = 'pupil';
const EXAMPLES = 12;
/** Latest moment of a kill after the router has begun to learn, milliseconds. */
const LATEST_MS = 400;

interface KilledOutcome {
  readonly kills: number;
  /** Commits whose calls were answered. */
  readonly answered: number;
  /** Violations; empty: none. */
  readonly problems: readonly string[];
}

/** `onRound` gets the number of finished rounds. */
export async function killRepeatedly(
  rounds: number,
  seed: number,
  onRound = (_done: number): void => undefined,
): Promise<KilledOutcome> {
  const random = randomOf(seed);
  const dir = mkdtempSync(join(tmpdir(), 'tandem-killed-'));
  const lif = node('LIF', { tau: [2, 2], r: [4, 4], v_leak: [0, 0], v_threshold: [1, 1] });
  const folder = new ModelFolder().add(
    ...(['teacher', 1] as const),
    chain(2, 2, { dense: node('Linear', { weight: matrix([1, 0], [0, 1]) }), lif }),
    'dt: 1\nsteps: 8\ninput: {shape: [2]}\nlabels: [left, right]\n',
  );
  const settings = {
    ...{ models_dir: folder.path, default_model: 'teacher', spawn: { count: 1, socket_dir: dir } },
    ...{ learning: { dir: join(dir, 'learning') }, operations: { file: join(dir, 'operations.json') } },
  };
  const answered = new Map<number, number>();
  const problems: string[] = [];
  const check = async (round: number, router: RouterProcess): Promise<void> => {
    const found = await inspect(router, answered);
    const left = readdirSync(folder.path).filter((name) => name.startsWith('.') && name.includes('replaced'));
    problems.push(...[...found, ...left].map((problem) => `round ${round}: ${problem}`));
    const log = join(dir, 'learning', `${STUDENT}.log`);
    // If it was killed before it learnt anything, there is nothing to replay.
    if (!existsSync(log) && answered.size === 0) return;
    await replayLog(log).catch((error: unknown) => {
      problems.push(`round ${round}: ${(error as Error).message}`);
    });
  };
  let router = await startRouter(settings);
  try {
    for (let round = 1; round <= rounds; round += 1) {
      const learning = learnUntilKilled(router, random, answered);
      await delay(random() * LATEST_MS);
      router.kill();
      await learning;
      router = await startRouter(settings);
      await check(round, router);
      onRound(round);
    }
  } finally {
    await router.stop();
    folder.remove();
    rmSync(dir, { recursive: true, force: true });
  }
  return { kills: rounds, answered: answered.size, problems };
}

/** Adds the commits of every answered call to `answered`: the number of learnt examples, by version. */
async function learnUntilKilled(
  { adminAddress }: RouterProcess,
  random: () => number,
  answered: Map<number, number>,
): Promise<void> {
  const client = new LearningServiceClient(adminAddress, grpc.credentials.createInsecure());
  try {
    for (;;) {
      const { commits } = await learn(client, random);
      for (const { version, examples } of commits) answered.set(version, Number(examples));
    }
  } catch {
    // It was killed.
  } finally {
    client.close();
  }
}

function learn(client: LearningServiceClient, random: () => number): Promise<LearnResponse> {
  return new Promise((resolve, reject) => {
    const stream = client.learn((error, response) => (error ? reject(error) : resolve(response)));
    stream.on('error', () => undefined);
    const start = { student: STUDENT, teachers: ['teacher'], heldOutEvery: 3 };
    const write = (what: object): void => void stream.write(LearnRequest.fromPartial({ what } as LearnRequest));
    write({ $case: 'start', value: start });
    for (let n = 0; n < EXAMPLES; n += 1) {
      const encoding = [random(), random()];
      write({ $case: 'example', value: { encoding, label: encoding[0]! > encoding[1]! ? 'left' : 'right' } });
    }
    stream.end();
  });
}

async function inspect(router: RouterProcess, answered: ReadonlyMap<number, number>): Promise<string[]> {
  const state = await settled(router);
  const commits = new Map(state.commits.map((commit) => [commit.version, commit]));
  const lost = [...answered].filter(
    ([version, examples]) => Number(commits.get(version)?.examples ?? -1n) !== examples,
  );
  const models = (await listModels(router)).filter(({ name }) => name === STUDENT);
  const served = models.filter(({ engineIds }) => engineIds.length > 0);
  return [
    ...lost.map(([version]) => `commit ${version} is lost`),
    ...served
      .filter(({ engineIds }) => engineIds.length < 2)
      .map(({ version }) => `version ${version} is on one engine only`),
    ...models.filter(({ error }) => error !== '').map(({ version, error }) => `version ${version}: ${error}`),
    ...served
      .filter(({ version }) => !isPublished(state, version))
      .map(({ version }) => `version ${version} is served, and was not published`),
    ...(state.publishedVersion === 0 || served.some(({ version }) => version === state.publishedVersion)
      ? []
      : [`version ${state.publishedVersion} is published, and not served`]),
  ];
}

function isPublished({ commits }: StudentState, version: number): boolean {
  return commits.some((commit) => commit.version === version && commit.status === 1);
}

/** The state after the interrupted work is finished and both engines have all versions. */
async function settled(router: RouterProcess): Promise<StudentState> {
  const client = new LearningServiceClient(router.address, grpc.credentials.createInsecure());
  try {
    for (;;) {
      const state = await new Promise<StudentState | undefined>((resolve, reject) => {
        client.getLearningState(GetLearningStateRequest.fromPartial({}), (error, response) => {
          if (error) reject(error);
          else resolve(response.students[0]);
        });
      });
      const held = (await listModels(router)).filter(({ name }) => name === STUDENT);
      const isHeld = held.every(({ engineIds, state: use }) => use === 3 || engineIds.length === 2);
      const isDone = state === undefined || state.commits.every(({ status }) => status !== 4);
      if (isDone && isHeld) return state ?? StudentState.fromPartial({});
      await delay(20);
    }
  } finally {
    client.close();
  }
}

function listModels({ address }: RouterProcess): Promise<Model[]> {
  const client = new ModelServiceClient(address, grpc.credentials.createInsecure());
  return new Promise<Model[]>((resolve, reject) => {
    client.listModels({}, (error, response) => (error ? reject(error) : resolve(response.models)));
  }).finally(() => client.close());
}
