// Rounds of load, interleaved: every subject is measured before the next round begins, and medians count.
import { cpuUs, rssBytes } from '../../support/proc.ts';
import { type LoadTarget, type Loop, generate } from './generator.ts';

export interface Figures {
  readonly callsPerS: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  /** Of the whole process, per call; undefined without a process. */
  readonly cpuUs: number | undefined;
  readonly rssMb: number | undefined;
  readonly failedShare: number;
}

export interface Run {
  readonly name: string;
  /** One, or several that get load at the same time: their rates are added. */
  readonly targets: readonly LoadTarget[];
  readonly loop: Loop;
  readonly pid: number | undefined;
}

const MB = 2 ** 20;

/** In the order of `runs`. */
export async function measure(runs: readonly Run[], rounds: number, seconds: number): Promise<Figures[]> {
  const samples = runs.map((): Figures[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [at, run] of runs.entries()) samples[at]!.push(await measureOnce(run, seconds));
  }
  return samples.map(medians);
}

async function measureOnce({ targets, loop, pid }: Run, seconds: number): Promise<Figures> {
  const before = pid === undefined ? 0 : cpuUs(pid);
  const loads = await Promise.all(targets.map((target) => generate(target, loop, seconds)));
  const calls = loads.reduce((sum, load) => sum + load.calls, 0);
  const worst = (of: 'p50Us' | 'p99Us' | 'p999Us'): number => Math.max(...loads.map((load) => load[of]));
  return {
    callsPerS: loads.reduce((sum, load) => sum + load.callsPerS, 0),
    p50Us: worst('p50Us'),
    p99Us: worst('p99Us'),
    p999Us: worst('p999Us'),
    cpuUs: pid === undefined ? undefined : (cpuUs(pid) - before) / calls,
    rssMb: pid === undefined ? undefined : rssBytes(pid) / MB,
    failedShare: Math.max(...loads.map((load) => load.failedShare)),
  };
}

function medians(samples: readonly Figures[]): Figures {
  const of = (key: keyof Figures): number => median(samples.map((each) => each[key] ?? NaN));
  const isProcess = samples[0]?.cpuUs !== undefined;
  return {
    callsPerS: of('callsPerS'),
    p50Us: of('p50Us'),
    p99Us: of('p99Us'),
    p999Us: of('p999Us'),
    cpuUs: isProcess ? of('cpuUs') : undefined,
    rssMb: isProcess ? of('rssMb') : undefined,
    failedShare: of('failedShare'),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
