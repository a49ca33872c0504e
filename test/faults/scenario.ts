// The type of a scenario, and its measures.
import type { LoadRequest } from '../support/load.ts';
import type { Stage } from './stage.ts';

export interface Outcome {
  /** All measured values, for --json. Names end in their unit. */
  readonly figures: Readonly<Record<string, unknown>>;
  /** The same in a line. */
  readonly measured: string;
  /** Whether nothing failed and nothing was wrong. Speed never decides. */
  readonly passed: boolean;
  /** Limits of speed and memory that were missed, with the measured values. */
  readonly missed: readonly string[];
}

export interface Scenario {
  readonly name: string;
  /** The harm, in a few words. */
  readonly fault: string;
  /** Of the router: as in services/config/schema.ts, without its engines. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly bar: string;
  run(stage: Stage): Promise<Outcome>;
}

export const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
export const rounded = (value: number, digits = 2): number => Number(value.toFixed(digits));

/** From the planned time, so a late request counts as slow. */
export const tookMs = ({ dueMs, endMs }: LoadRequest): number => endMs - dueMs;

/** Nearest rank; NaN of none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? NaN;
}

/** Of the requests that were due from `fromMs` on and before `toMs`, answered or not. */
export function p99Ms(requests: readonly LoadRequest[], fromMs: number, toMs: number): number {
  return percentile(requests.filter(({ dueMs }) => dueMs >= fromMs && dueMs < toMs).map(tookMs), 99);
}

/** Number of requests by outcome, without OK. */
export function failures(requests: readonly LoadRequest[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome, code } of requests) {
    if (outcome === 'OK') continue;
    const name = outcome === code ? code : `${code}/${outcome}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** Least squares, y per x. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (at: 0 | 1): number => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const over = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return over / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
}

export const pause = (forMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, forMs));
