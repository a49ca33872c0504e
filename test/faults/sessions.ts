// Sidecars are killed at random moments while clients send pieces of long series in sessions. Each session must have
// the result of one run of its whole series: no step is lost, and none is computed twice.
import { ReasonRequest, type ReasonResponse } from '../../services/generated/tandem/v1/reasoning.ts';
import { Random } from '../fuzz/random.ts';
import { SESSION_MODEL, piece, sessionModels, sessionSeries } from '../support/session-model.ts';
import type { RunningSidecar } from '../support/sidecar.ts';
import { type Scenario, pause, rounded } from './scenario.ts';
import type { Router } from './stage.ts';

const STEPS = 256;
const CLIENTS = 4;
const DEFAULT_KILLS = 100;
const MAX_PIECE = 8;
/** Between two kills of one sidecar. */
const MAX_PAUSE_MS = 120;

interface Tally {
  sessions: number;
  messages: number;
  retried: number;
  wrong: number;
  failed: Record<string, number>;
}

export const sessions: Scenario = {
  name: 'sessions',
  fault: 'kill -9 two of three sidecars repeatedly, at random moments of sessions',
  settings: {
    ...{ local: { enabled: true }, default_model: SESSION_MODEL, cache: { enabled: false } },
    ...{ request_timeout_ms: 20_000, retry: { max_attempts: 8, budget_percent: 100 } },
  },
  bar: '0 lost, 0 doubled steps, 0 failed messages',
  async run(stage) {
    const folder = sessionModels();
    stage.onEnd(() => folder.remove());
    const sidecars = await stage.sidecars(3, folder.path);
    const router = await stage.router({ ...this.settings, models_dir: folder.path }, sidecars);
    const kills = stage.options.count ?? DEFAULT_KILLS;
    const seed = Date.now() % 1_000_000;
    stage.progress(`seed ${seed}`);
    let killed = 0;
    const isOver = (): boolean => killed >= kills;
    const killer = async (sidecar: RunningSidecar, random: Random): Promise<void> => {
      while (!isOver()) {
        await pause(random.between(0, MAX_PAUSE_MS));
        if (isOver()) return;
        killed += 1;
        await sidecar.restart();
        if (killed % 50 === 0) stage.progress(`${killed} kills`);
      }
    };
    const tally: Tally = { sessions: 0, messages: 0, retried: 0, wrong: 0, failed: {} };
    const client = async (number: number): Promise<void> => {
      for (let n = 0; !isOver() || n === 0; n += 1)
        await playSession(router, `s${number}-${n}`, seed + 1_000 * number + n, tally);
    };
    const clients = Array.from({ length: CLIENTS }, (_, n) => client(n));
    await Promise.all([...sidecars.slice(1).map((each, n) => killer(each, new Random(seed + n))), ...clients]);
    const { sessions: open } = await router.operator.metrics();
    const failed = Object.values(tally.failed).reduce((sum, n) => sum + n, 0);
    return {
      figures: { seed, kills: killed, ...tally, moved: Number(open?.moved ?? 0n) },
      measured:
        `${killed} kills, ${tally.sessions} sessions of ${STEPS} steps in ${tally.messages} messages, ${tally.retried} of them ` +
        `retried (${rounded((100 * tally.retried) / tally.messages)} %); ${tally.wrong} sessions wrong, ${failed} messages failed`,
      passed: tally.wrong === 0 && failed === 0,
      missed: [],
    };
  },
};

/** One series in random pieces, compared with one run of the whole series. */
async function playSession(router: Router, id: string, seed: number, tally: Tally): Promise<void> {
  const random = new Random(seed);
  const series = sessionSeries(STEPS, seed);
  let last: ReasonResponse | undefined;
  try {
    for (let step = 0; step < STEPS;) {
      const steps = Math.min(STEPS - step, random.integer(1, MAX_PIECE));
      const session = { id, expectedStep: step, close: step + steps === STEPS };
      last = await router.reason(ReasonRequest.fromPartial({ tensor: piece(series, step, steps), session }));
      tally.messages += 1;
      if (last.attempts.length > 1) tally.retried += 1;
      step += steps;
    }
    const whole = await router.reason({ tensor: piece(series, 0, STEPS) });
    tally.sessions += 1;
    if (answerKey(last!) !== answerKey(whole)) tally.wrong += 1;
  } catch (error) {
    const why = (error as Error).message;
    tally.failed[why] = (tally.failed[why] ?? 0) + 1;
  }
}

function answerKey({ steps, stateDigest, spikeCounts, totalSpikes, synapticOperations }: ReasonResponse): string {
  return [steps, stateDigest, spikeCounts, totalSpikes, synapticOperations].join(' ');
}
