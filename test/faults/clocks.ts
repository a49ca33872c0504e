// The router's wall clock is set, or runs too fast, while one engine of three becomes faulty. The fault must be
// detected as usual.
import { mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { refuseWith } from '../fakes/grey-harms.ts';
import { SOON_ALERTS, judgeEngine, playFault } from './fault-play.ts';
import { untilConnected } from './judging.ts';
import type { WallClock } from './preload/clock.ts';
import { type Scenario, ms, pause } from './scenario.ts';

const HOUR_MS = 3_600_000;
const IDS = ['engine-1', 'engine-2', 'engine-3'];
/** It is set before the fault, so that a router that uses it is affected. */
const SETTLES_MS = 1_000;
/**
 * After the engine is excluded: a condition that holds for `for_ms` is seen at the next check, and the machine may be
 * busy.
 */
const ALERT_MS = SOON_ALERTS.alerts.for_ms + 2 * SOON_ALERTS.alerts.interval_ms + 1_000;

function wallClock(name: string, fault: string, clock: WallClock): Scenario {
  return {
    name: `clock-${name}`,
    fault: `the router's wall clock ${fault}, and one engine of three says CANCELLED to everything`,
    settings: SOON_ALERTS,
    bar: `0 failed; out within 2 s; an alert within ${ms(ALERT_MS)} of that`,
    async run(stage) {
      const truths = await stage.truths();
      const [behind, ...honest] = await stage.sidecars(3);
      const engine = await stage.programmable(behind!);
      const file = join(mkdtempSync(join(tmpdir(), 'tandem-clock-')), 'clock.json');
      const set = (to: WallClock): void => {
        writeFileSync(`${file}.new`, JSON.stringify(to));
        renameSync(`${file}.new`, file);
      };
      set({ aheadMs: 0, drift: 0 });
      const preload = join(import.meta.dirname, 'preload/clock.ts');
      const env = { NODE_OPTIONS: `--import=${preload}`, TEST_CLOCK_FILE: file };
      const router = await stage.router(this.settings, [engine, ...honest], env);
      await untilConnected(router.operator, IDS);
      let end = (): void => undefined;
      const begin = async (): Promise<void> => {
        set(clock);
        await pause(SETTLES_MS);
        end = refuseWith('CANCELLED')(engine);
      };
      const played = await playFault(stage, { router, id: 'engine-1', truths, begin, end: () => end() });
      const outcome = judgeEngine(played);
      const { outMs = Infinity, alertMs = Infinity } = played.seen;
      const late = alertMs - outMs;
      return {
        ...outcome,
        measured: `${outcome.measured}; ${late < Infinity ? `alert after ${ms(late)}` : 'no alert'}`,
        missed: [...outcome.missed, ...(late < ALERT_MS ? [] : [`alert after ${ms(late)}`])],
      };
    },
  };
}

export const clockScenarios: readonly Scenario[] = [
  wallClock('back', 'steps back an hour', { aheadMs: -HOUR_MS, drift: 0 }),
  wallClock('forward', 'steps forward an hour', { aheadMs: HOUR_MS, drift: 0 }),
  wallClock('drift', 'runs 10 % too fast', { aheadMs: 0, drift: 0.1 }),
];
