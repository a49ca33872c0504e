// The path: the time that the router adds to a call, compared with its peers, all with the same two sidecars in the
// same run.
import { cpus } from 'node:os';
import { goFirst } from '../support/pin.ts';
import type { LoadTarget } from './path/generator.ts';
import { type Figures, type Run, measure, median } from './path/measure.ts';
import { startReplaced } from './path/replaced.ts';
import * as requests from './path/requests.ts';
import type { Closed, Open, PathFigures } from './path/results.ts';
import { ROUTER, type Stage, type Subject, setStage } from './path/stage.ts';

interface PathOptions {
  readonly rounds: number;
  /** Duration of one measurement. */
  readonly seconds: number;
  readonly progress: (text: string) => void;
}

/** A peer that has as many calls in flight on sixteen connections uses as many of them as it has calls. */
const CLOSED: readonly Closed[] = [
  { inFlight: 1, connections: 1 },
  { inFlight: 8, connections: 1 },
  { inFlight: 8, connections: 8 },
  { inFlight: 64, connections: 1 },
  { inFlight: 64, connections: 16 },
];
/** Share of a subject's rate with 64 open calls on sixteen connections. */
const SHARES = [0.3, 0.5, 0.7, 0.85];
/** Of each subject. V8 compiles the router's code while the first 100,000 calls run. */
const WARM_UP_SECONDS = 10;
/** Of each subject under each closed load: V8 compiles anew for another load, and calls one at a time are few. */
const SETTLE_SECONDS = 5;

export async function benchPath(options: PathOptions): Promise<PathFigures> {
  const { rounds, seconds, progress } = options;
  goFirst();
  const stage = await setStage();
  try {
    progress('path: warming up');
    const warmUp = { connections: 16, inFlight: 64 };
    await measure(
      stage.subjects.map((subject) => toRun(subject, warmUp)),
      1,
      WARM_UP_SECONDS,
    );
    const closed = await closedLoops(stage.subjects, options);
    const open = await openLoops(stage.subjects, closed, options);
    const others = await otherLoads(stage, options);
    const replaced = await replacedDesign(options);
    const processor = cpus()[0]?.model ?? 'unknown';
    return { processor, cores: cpus().length, rounds, seconds, closed, open, others: { ...others, replaced } };
  } finally {
    await stage.stop();
  }
}

const toRun = ({ name, pid, target }: Subject, loop: Run['loop']): Run => ({ name, targets: [target], loop, pid });

async function closedLoops(subjects: readonly Subject[], options: PathOptions): Promise<PathFigures['closed']> {
  const results: PathFigures['closed'][number][] = [];
  for (const loop of CLOSED) {
    options.progress(`path: ${loop.inFlight} in flight, connections: ${loop.connections}`);
    const runs = subjects.map((subject) => toRun(subject, loop));
    await measure(runs, 1, SETTLE_SECONDS);
    const figures = await measure(runs, options.rounds, options.seconds);
    results.push(...figures.map((each, at) => ({ subject: subjects[at]!.name, ...loop, ...each })));
  }
  return results;
}

async function openLoops(
  subjects: readonly Subject[],
  closed: PathFigures['closed'],
  { rounds, seconds, progress }: PathOptions,
): Promise<Open[]> {
  const results: Open[] = [];
  const capacity = (name: string): number =>
    closed.find((each) => each.subject === name && each.inFlight === 64 && each.connections === 16)!.callsPerS;
  for (const share of SHARES) {
    progress(`path: open loop, ${share * 100} % of each one’s capacity`);
    const runs = subjects.map((subject) =>
      toRun(subject, { connections: 16, ratePerS: Math.round(share * capacity(subject.name)) }),
    );
    const figures = await measure(runs, rounds, seconds);
    results.push(...figures.map((each, at) => ({ subject: subjects[at]!.name, share, ...each })));
  }
  return results;
}

/** Hits, batches and streams, and the engines without a router. */
async function otherLoads(stage: Stage, { rounds, seconds, progress }: PathOptions): Promise<Record<string, Figures>> {
  const { pid, target } = stage.subjects.find(({ name }) => name === ROUTER)!;
  const router = (of: requests.Requests, inFlight: number): Omit<Run, 'name'> => ({
    targets: [{ ...of, address: target.address }],
    loop: { connections: 1, inFlight },
    pid,
  });
  const engines = (inFlight: number, addresses = stage.engines): Omit<Run, 'name'> => ({
    targets: addresses.map((address): LoadTarget => ({ ...requests.inferStream, address })),
    loop: { connections: 1, inFlight: inFlight / addresses.length },
    pid: undefined,
  });
  progress('path: hits, batches and streams');
  const runs: Record<string, Omit<Run, 'name'>> = {
    'Ping, one at a time': router(requests.ping, 1),
    'cache hit, one at a time': router(requests.reasonCached, 1),
    'Ping, 64 in flight': router(requests.ping, 64),
    'cache hit, 64 in flight': router(requests.reasonCached, 64),
    'ReasonStream, one at a time': router(requests.reasonStream, 1),
    'ReasonStream, 64 in flight': router(requests.reasonStream, 64),
    'ReasonBatch of 64, one at a time': router(requests.reasonBatch, 1),
    'engine alone, InferStream, one at a time': engines(1, stage.engines.slice(0, 1)),
    'both engines alone, InferStream, 64 in flight': engines(64),
  };
  const named = Object.entries(runs).map(([name, run]) => ({ name, ...run }));
  await measure(named, 1, SETTLE_SECONDS); // also fills the cache
  const figures = await measure(named, rounds, seconds);
  return Object.fromEntries(named.map(({ name }, at) => [name, figures[at]!]));
}

async function replacedDesign({ rounds, seconds, progress }: PathOptions): Promise<Figures> {
  progress('path: the replaced design');
  const replaced = await startReplaced();
  try {
    const samples: Figures[] = [];
    for (let round = 0; round < rounds; round += 1) samples.push(await replaced.measure(seconds));
    const of = (key: keyof Figures): number => median(samples.map((each) => each[key] ?? NaN));
    return {
      callsPerS: of('callsPerS'),
      p50Us: of('p50Us'),
      p99Us: of('p99Us'),
      p999Us: of('p999Us'),
      cpuUs: of('cpuUs'),
      rssMb: of('rssMb'),
      failedShare: 0,
    };
  } finally {
    await replaced.stop();
  }
}
