// The router gets little CPU time, or little memory.
import { status } from '@grpc/grpc-js';
import { Status } from '../../services/generated/google/rpc/status.ts';
import { type LoadRequest, type LoadResult, paceLoad } from '../support/load.ts';
import { DEADLINE_MS, MIXED_RATE_PER_S } from './fault-play.ts';
import { freeze } from './frozen.ts';
import { untilConnected } from './judging.ts';
import { type Outcome, type Scenario, failures, ms, p99Ms, pause, percentile, rounded, tookMs } from './scenario.ts';
import type { Router, Stage } from './stage.ts';

const IDS = ['engine-1', 'engine-2', 'engine-3'];
const WARM_MS = 3_000;
const CALM_MS = 3_000;
const AFTER_MS = 5_000;
const RECOVERS_MS = 1_000;
const SERVED_BAR_MS = 500;
const STARVED_MS = 10_000;
const SLICE_MS = 100;
const TIMES = 5;
const HEAP_MB = 128;

interface Course {
  readonly name: string;
  readonly fault: string;
  readonly bar: string;
  /** Of the router's process. */
  readonly env?: Record<string, string>;
  /** Times the usual rate while it lasts. */
  readonly times?: number;
  /** Causes the fault; resolves when it is over. */
  readonly harm: (router: Router, stage: Stage) => Promise<void>;
}

function course({ name, fault, bar, env, times = 1, harm }: Course): Scenario {
  return {
    name,
    fault,
    settings: {},
    bar,
    async run(stage) {
      const router = await stage.router(this.settings, await stage.sidecars(3), env);
      await untilConnected(router.operator, IDS);
      let refused = 0;
      let withRetryInfo = 0;
      const bare = new Set<string>();
      const caller = stage.caller(router.address, ({ metadata, code, details: message }) => {
        if (code !== status.RESOURCE_EXHAUSTED) return;
        refused += 1;
        const bytes = metadata.get('grpc-status-details-bin') as Buffer[];
        const details = bytes.flatMap((each) => Status.decode(each).details);
        if (details.some(({ typeUrl }) => typeUrl.endsWith('RetryInfo'))) withRetryInfo += 1;
        else bare.add(message);
      });
      const { inputs } = stage;
      const ratePerS = Math.min(MIXED_RATE_PER_S, stage.options.rate);
      const load = paceLoad({ system: caller, inputs, ratePerS, deadlineMs: DEADLINE_MS });
      await pause(WARM_MS + CALM_MS);
      const harmMs = performance.now();
      const more = { system: caller, inputs, ratePerS: ratePerS * (times - 1), deadlineMs: DEADLINE_MS };
      const extra = times > 1 ? paceLoad(more) : undefined;
      await harm(router, stage);
      const endMs = performance.now();
      const extras = (await extra?.stop())?.requests ?? [];
      await pause(AFTER_MS);
      const { requests } = await load.stop();
      return judge({ requests, extras, harmMs, endMs, refused, withRetryInfo, bare: [...bare] });
    },
  };
}

interface Ended {
  readonly requests: LoadResult['requests'];
  readonly extras: LoadResult['requests'];
  readonly harmMs: number;
  readonly endMs: number;
  readonly refused: number;
  readonly withRetryInfo: number;
  /** Messages of refusals without. */
  readonly bare: readonly string[];
}

function judge({ requests, extras, harmMs, endMs, refused, withRetryInfo, bare }: Ended): Outcome {
  const during = [...requests, ...extras].filter(({ dueMs }) => dueMs >= harmMs && dueMs < endMs);
  const after = requests.filter(({ dueMs }) => dueMs >= endMs + RECOVERS_MS);
  const isOk = ({ outcome }: LoadRequest): boolean => outcome === 'OK';
  const servedMs = percentile(during.filter(isOk).map(tookMs), 99);
  const failedAfter = after.filter((each) => !isOk(each)).length;
  const kinds = failures(during);
  const calmMs = p99Ms(requests, harmMs - CALM_MS, harmMs);
  const afterMs = percentile(after.map(tookMs), 99);
  const served = during.filter(isOk).length;
  const recoveredMs = Math.max(
    0,
    ...requests.filter((each) => each.dueMs >= endMs && !isOk(each)).map((each) => each.endMs - endMs),
  );
  const onlyShed = Object.keys(kinds).every((kind) => kind.startsWith('RESOURCE_EXHAUSTED'));
  return {
    figures: {
      during: during.length,
      served,
      failed: kinds,
      refused,
      with_retry_info: withRetryInfo,
      bare,
      served_p99_ms: rounded(servedMs),
      after: after.length,
      failed_after: failedAfter,
      last_failure_ms: rounded(recoveredMs),
      healthy_p99_ms: rounded(calmMs),
      after_p99_ms: rounded(afterMs),
    },
    measured:
      `${served} of ${during.length} served, p99 ${ms(servedMs)}, ${JSON.stringify(kinds)}, ${withRetryInfo} of ${refused} refusals with ` +
      `RetryInfo; from 1 s after it on ${failedAfter} of ${after.length} failed, the last failure ${ms(recoveredMs)} after it; ` +
      `p99 ${ms(calmMs)} → ${ms(afterMs)}`,
    passed: failedAfter === 0 && withRetryInfo === refused && served > 0 && onlyShed,
    missed: [
      ...(servedMs > SERVED_BAR_MS ? [`served in ${ms(servedMs)}`] : []),
      ...(afterMs > 2 * calmMs ? [`p99 ${ms(afterMs)} of ${ms(2 * calmMs)}`] : []),
    ],
  };
}

/** A tenth of the CPU time, at the start of each slice, like a CPU quota of the system. */
async function starve(router: Router, stage: Stage): Promise<void> {
  const endMs = performance.now() + (stage.options.seconds ?? STARVED_MS / 1_000) * 1_000;
  while (performance.now() < endMs) {
    await freeze(router, 0.9 * SLICE_MS);
    await pause(0.1 * SLICE_MS);
  }
}

export const starvedScenarios: readonly Scenario[] = [
  course({
    name: 'starved-cpu',
    fault: 'the router has a tenth of a core',
    bar: 'sheds with RetryInfo; served within 500 ms; recovers within 1 s',
    harm: starve,
  }),
  course({
    name: 'starved-heap',
    fault: `the router has a heap of ${HEAP_MB} MB, and ${TIMES} times the load`,
    bar: 'sheds with RetryInfo; served within 500 ms; recovers within 1 s',
    env: { NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` },
    times: TIMES,
    harm: () => pause(STARVED_MS),
  }),
];
