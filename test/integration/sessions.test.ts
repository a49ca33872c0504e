// Sessions on real engines of both kinds: in pieces and on changing engines they give the results of one run.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import { ReasonRequest, type ReasonResponse } from '../../services/generated/tandem/v1/reasoning.ts';
import {
  type ListSessionsResponse,
  type OpenSession,
  SessionServiceClient,
} from '../../services/generated/tandem/v1/sessions.ts';
import { CacheMode, Grade, Strategy } from '../../services/generated/tandem/v1/types.ts';
import { Random } from '../fuzz/random.ts';
import { promised } from '../support/promised.ts';
import type { ModelFolder } from '../support/model-folder.ts';
import { SESSION_MODEL, piece, sessionModels, sessionSeries } from '../support/session-model.ts';
import { EDGES } from '../support/serve.ts';
import { StreamCaller } from '../support/stream-caller.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

const STEPS = 256;

let folder: ModelFolder;
let whole: ReasonResponse;
const series = sessionSeries(STEPS, 3);

type Figures = Pick<ReasonResponse, 'steps' | 'stateDigest' | 'spikeCounts' | 'totalSpikes' | 'scores'>;

function figures({ steps, stateDigest, spikeCounts, totalSpikes, scores }: ReasonResponse): Figures {
  return { steps, stateDigest, spikeCounts, totalSpikes, scores };
}

function reasonOf(error: unknown): string {
  const [details] = (error as grpc.ServiceError).metadata.get('grpc-status-details-bin') as Buffer[];
  return /[A-Z]{4,}(_[A-Z]+)+/.exec(details!.toString('latin1'))?.[0] ?? '';
}

async function refusal(answer: Promise<unknown>): Promise<string> {
  return await answer.then(() => 'answered', reasonOf);
}

beforeAll(() => {
  folder = sessionModels();
});

afterAll(() => folder.remove());

describe.each(EDGES)('sessions over edge %s', (edge) => {
  let system: System;
  let operator: SessionServiceClient;

  const start = async (over: Record<string, unknown> = {}): Promise<void> => {
    system = await startSystem({ edge, models_dir: folder.path, default_model: SESSION_MODEL, ...over });
    operator = new SessionServiceClient(system.adminAddress, grpc.credentials.createInsecure());
    whole = await system.reason({ tensor: piece(series, 0, STEPS) });
  };

  const end = (id: string): Promise<OpenSession> =>
    new Promise((resolve, reject) => {
      operator.endSession({ id, caller: '' }, (error, response) =>
        error ? reject(error) : resolve(response.session!),
      );
    });

  const list = (pageSize = 0, pageToken = ''): Promise<ListSessionsResponse> =>
    promised((done) => operator.listSessions({ pageSize, pageToken }, done));

  /** The series in random pieces; `between` is called before each. */
  const play = async (
    id: string,
    seed: number,
    over: Partial<ReasonRequest> = {},
    between: (step: number) => unknown = () => undefined,
  ): Promise<ReasonResponse[]> => {
    const random = new Random(seed);
    const answers: ReasonResponse[] = [];
    for (let step = 0; step < STEPS;) {
      await between(step);
      const steps = Math.min(STEPS - step, random.integer(1, 40));
      const session = { id, expectedStep: step };
      answers.push(
        await system.reason({ tensor: piece(series, step, steps), session, ...over } as Partial<ReasonRequest>),
      );
      step += steps;
    }
    return answers;
  };

  beforeAll(() => start());
  afterAll(async () => {
    operator.close();
    await system.stop();
  });
  afterEach(async () => {
    for (const { id } of (await list()).sessions) await end(id);
  });

  it('give the results of one run, in pieces on all engines', async () => {
    expect(whole.totalSpikes).toBeGreaterThan(100n);
    const answers = await play('pieces', 11);
    expect(figures(answers.at(-1)!)).toEqual(figures(whole));
    expect(new Set(answers.map(({ engine }) => engine!.engineId)).size).toBe(3);
    expect(answers.map(({ session }) => session!.opened)).toEqual([true, ...answers.slice(1).map(() => false)]);
  });

  it('give the same results when all engines vote', async () => {
    const answers = await play('votes', 12, { strategy: Strategy.STRATEGY_REDUNDANT });
    expect(new Set(answers.map(({ grade }) => grade))).toEqual(new Set([Grade.GRADE_UNANIMOUS]));
    expect(figures(answers.at(-1)!)).toEqual(figures(whole));
  });

  it('give the same results while engines are killed', async () => {
    const random = new Random(13);
    const answers = await play('kills', 13, {}, async () => {
      const { pid } = random.pick(system.supervisors);
      if (pid !== undefined && random.chance(0.4)) process.kill(pid, 'SIGKILL');
      if (random.chance(0.5)) await new Promise((resolve) => setTimeout(resolve, random.integer(0, 20)));
    });
    expect(figures(answers.at(-1)!)).toEqual(figures(whole));
    const isComplete = (): boolean => system.pool.engines.every(({ state }) => state === 'READY');
    await until(isComplete, { what: 'all engines to return', timeoutMs: 20_000 });
  });

  it('handle the messages of a stream in order', async () => {
    const caller = new StreamCaller(system.client);
    for (let step = 0; step < STEPS; step += 4) {
      const session = { id: 'stream', state: Buffer.alloc(0), returnState: false, close: false, expectedStep: step };
      caller.send(ReasonRequest.fromPartial({ requestId: String(step), tensor: piece(series, step, 4), session }));
    }
    caller.end();
    await caller.ended;
    const results = caller.answers.map(({ outcome }) => (outcome?.$case === 'result' ? outcome.value : undefined));
    expect(results.map((result) => result?.session?.step)).toEqual(
      Array.from({ length: STEPS / 4 }, (_, k) => 4 * k + 4),
    );
    expect(figures(results.at(-1)!)).toEqual(figures(whole));
  });

  it('handle the messages of a batch in order, beside other items', async () => {
    const requests = Array.from({ length: STEPS / 4 }, (_, k) => [
      ReasonRequest.fromPartial({ tensor: piece(series, 4 * k, 4), session: { id: 'batch' } }),
      ReasonRequest.fromPartial({ tensor: piece(series, 0, 4), cache: CacheMode.CACHE_MODE_BYPASS }),
    ]).flat();
    const results = await new Promise<ReasonResponse[]>((resolve, reject) => {
      system.client.reasonBatch({ requests }, (error, response) => {
        if (error) reject(error);
        else resolve(response.results.map(({ outcome }) => (outcome as { value: ReasonResponse }).value));
      });
    });
    expect(results.map(({ steps }) => steps)).toEqual(requests.map((_, at) => (at % 2 === 0 ? 2 * at + 4 : 4)));
    expect(figures(results.at(-2)!)).toEqual(figures(whole));
  });

  it('are listed in pages, and ended by an operator', async () => {
    for (const id of ['a', 'b', 'c']) await system.reason({ tensor: piece(series, 0, 4), session: sessionOf(id) });
    const first = await list(2);
    const second = await list(2, first.nextPageToken);
    expect([...first.sessions, ...second.sessions].map(({ id, step }) => [id, step])).toEqual([
      ['c', 4],
      ['b', 4],
      ['a', 4],
    ]);
    expect([first.open, second.nextPageToken]).toEqual([3, '']);
    expect((await end('b')).step).toBe(4);
    expect(await refusal(end('b'))).toBe('SESSION_UNKNOWN');
    const late = system.reason({ tensor: piece(series, 4, 4), session: { ...sessionOf('b'), expectedStep: 4 } });
    expect(await refusal(late)).toBe('SESSION_UNKNOWN');
  });

  it('continue in another router from a stored state, and are unknown there without it', async () => {
    const half = STEPS / 2;
    const session = { ...sessionOf('moved'), returnState: true };
    const kept = (await system.reason({ tensor: piece(series, 0, half), session })).session!.state;
    operator.close();
    await system.stop();
    await start();
    const rest = { tensor: piece(series, half, half) };
    const lost = system.reason({ ...rest, session: { ...sessionOf('moved'), expectedStep: half } });
    expect(await refusal(lost)).toBe('SESSION_UNKNOWN');
    const answer = await system.reason({
      ...rest,
      session: { ...sessionOf('moved'), state: kept, expectedStep: half },
    });
    expect(figures(answer)).toEqual(figures(whole));
    expect(answer.session!.opened).toBe(true);
  });

  it('refuse a state that was changed', async () => {
    const session = { ...sessionOf('kept'), returnState: true };
    const { state } = (await system.reason({ tensor: piece(series, 0, 8), session })).session!;
    const changed = Buffer.from(state);
    changed[60]! ^= 1;
    const again = system.reason({ tensor: piece(series, 8, 8), session: { ...sessionOf('other'), state: changed } });
    expect(await refusal(again)).toBe('STATE_INVALID');
    expect((await list()).sessions.map(({ id }) => id)).toEqual(['kept']);
  });
});

function sessionOf(id: string): NonNullable<ReasonRequest['session']> {
  return { id, state: Buffer.alloc(0), returnState: false, close: false, expectedStep: undefined };
}
