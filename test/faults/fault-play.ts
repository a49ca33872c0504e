// Runs scenarios in which one of three engines, or its link, is faulty for a while under a mixed load.
import { paceLoad } from '../support/load.ts';
import { until } from '../support/until.ts';
import { type Seen, EngineWatch, isIn } from './engine-watch.ts';
import { MixedCaller } from './mixed-caller.ts';
import { wrongOf } from './judging.ts';
import { type Outcome, failures, ms, p99Ms, pause, rounded } from './scenario.ts';
import type { Router, Stage } from './stage.ts';

export const DEADLINE_MS = 2_000;
export const MIXED_RATE_PER_S = 300;
/** Settings of a router with alerts during the fault. */
export const SOON_ALERTS = { alerts: { interval_ms: 200, for_ms: 500 } };
const WARM_MS = 4_000;
const CALM_MS = 4_000;
/** The allowed effect of a fault on callers, and its duration. */
const FIRST_MS = 2_000;
const FIRST_SHARE = 0.003;
const AFTER_S = 8;
const BACK_MS = 15_000;
/** Without a fault: above this the machine is too busy, and may cause failures itself. */
const BUSY_P99_MS = 250;

interface Fault {
  readonly router: Router;
  /** The faulty engine, or the engine with the faulty link. */
  readonly id: string;
  /** From stage.truths(). */
  readonly truths: readonly string[];
  begin(): unknown;
  end(): unknown;
}

export interface Played {
  readonly rate_per_s: number;
  readonly requests: number;
  readonly wrong: number;
  readonly failed_before: number;
  /** Of requests that were due in the first two seconds, or open at the start of the fault. */
  readonly first: number;
  readonly failed_first: number;
  /** From two seconds after its beginning until its end. */
  readonly after: number;
  readonly failed_after: number;
  /** While the engine came back. */
  readonly failed_returning: number;
  readonly failed: Readonly<Record<string, number>>;
  readonly failed_by_strategy: Readonly<Record<string, number>>;
  readonly messages: Readonly<Record<string, string>>;
  readonly healthy_p99_ms: number;
  readonly after_p99_ms: number;
  readonly back_ms: number | undefined;
  readonly seen: Seen;
}

/** Runs it: without the fault, with it, and the return of the engine. */
export async function playFault(stage: Stage, { router, id, truths, begin, end }: Fault): Promise<Played> {
  const caller = new MixedCaller(router.address);
  const { inputs } = stage;
  const ratePerS = Math.min(MIXED_RATE_PER_S, stage.options.rate);
  const load = paceLoad({ system: caller, inputs, ratePerS, deadlineMs: DEADLINE_MS });
  await pause(WARM_MS + CALM_MS);
  const watch = new EngineWatch(router.address, id);
  const harmMs = performance.now();
  await begin();
  await pause(FIRST_MS + (stage.options.seconds ?? AFTER_S) * 1_000);
  const seen = await watch.end();
  const endMs = performance.now();
  await end();
  const isBack = async (): Promise<boolean> => isIn(await router.operator.engine(id));
  const back = await until(isBack, { what: 'its return', timeoutMs: BACK_MS }).catch(() => false);
  const backMs = back ? performance.now() - endMs : undefined;
  await pause(1_000);
  const { requests } = await load.stop();
  caller.close();
  const failedIn = (fromMs: number, toMs: number): number =>
    requests.filter(({ dueMs, outcome }) => dueMs >= fromMs && dueMs < toMs && outcome !== 'OK').length;
  const early = requests.filter((each) => each.dueMs < harmMs && each.outcome !== 'OK');
  const failedBefore = early.filter((each) => each.endMs < harmMs).length;
  const dueIn = (fromMs: number, toMs: number): number =>
    requests.filter(({ dueMs }) => dueMs >= fromMs && dueMs < toMs).length;
  return {
    rate_per_s: ratePerS,
    requests: requests.length,
    wrong: wrongOf(requests, truths),
    failed_before: failedBefore,
    first: dueIn(harmMs, harmMs + FIRST_MS),
    failed_first: failedIn(harmMs, harmMs + FIRST_MS) + early.length - failedBefore,
    after: dueIn(harmMs + FIRST_MS, endMs),
    failed_after: failedIn(harmMs + FIRST_MS, endMs),
    failed_returning: failedIn(endMs, Infinity),
    failed: failures(requests),
    failed_by_strategy: caller.failed,
    messages: caller.messages,
    healthy_p99_ms: rounded(p99Ms(requests, harmMs - CALM_MS, harmMs)),
    after_p99_ms: rounded(p99Ms(requests, harmMs + FIRST_MS, endMs)),
    back_ms: backMs === undefined ? undefined : rounded(backMs),
    seen,
  };
}

/** For a fault of the engine: it must be excluded and named. */
export function judgeEngine(played: Played): Outcome {
  const { wrong, failed_before, first, failed_first, failed_after, seen } = played;
  const nameless = (['inEngines', 'inEvent', 'inAlert'] as const).filter((where) => seen[where] === '');
  const missed = [...slowness(played)];
  if (seen.outMs !== undefined && seen.outMs > FIRST_MS) missed.push(`out after ${ms(seen.outMs)}`);
  return {
    figures: { ...played },
    measured:
      `${describePlayed(played)}; ${seen.outMs === undefined ? 'never out' : `out after ${ms(seen.outMs)}`}; ` +
      (nameless.length === 0
        ? `"${seen.inEngines}", ${seen.downEvents} events that it is down`
        : `not named ${nameless.join(', ')} (${seen.downEvents} events that it is down)`),
    passed:
      wrong === 0 &&
      failed_before === 0 &&
      failed_first <= FIRST_SHARE * first &&
      failed_after === 0 &&
      seen.outMs !== undefined &&
      nameless.length === 0,
    missed,
  };
}

/** For a fault of the link: no request may fail, since two engines work. */
export function judgeLink(played: Played): Outcome {
  const { wrong, failed_before, failed_first, failed_after, seen } = played;
  const out = seen.outMs === undefined ? 'in all the time' : `out after ${ms(seen.outMs)}`;
  return {
    figures: { ...played },
    measured: `${describePlayed(played)}; ${out}${seen.inEngines === '' ? '' : `: "${seen.inEngines}"`}`,
    passed: wrong + failed_before + failed_first + failed_after === 0,
    missed: slowness(played),
  };
}

function describePlayed(played: Played): string {
  const { wrong, first, failed_first, after, failed_after, failed_returning, rate_per_s } = played;
  const { healthy_p99_ms, after_p99_ms, failed_by_strategy, back_ms } = played;
  const kinds = Object.entries(failed_by_strategy).map(([name, count]) => `${count} ${name}`);
  return (
    `${failed_first} of ${first} failed in the first 2 s, ${failed_after} of ${after} after, ${failed_returning} later, ` +
    `${wrong} wrong at ${rate_per_s}/s${kinds.length === 0 ? '' : ` (${kinds.join(', ')})`}; ` +
    `p99 ${ms(healthy_p99_ms)} → ${ms(after_p99_ms)}; ${back_ms === undefined ? 'not back' : `back in ${ms(back_ms)}`}`
  );
}

function slowness({ healthy_p99_ms, after_p99_ms, back_ms }: Played): string[] {
  return [
    ...(healthy_p99_ms > BUSY_P99_MS
      ? ['the machine is too busy to judge: see p99 before the fault, and lower --rate']
      : []),
    ...(after_p99_ms > 2 * healthy_p99_ms ? [`p99 ${ms(after_p99_ms)} of ${ms(2 * healthy_p99_ms)}`] : []),
    ...(back_ms === undefined ? [`not back after ${ms(BACK_MS)}`] : []),
  ];
}
