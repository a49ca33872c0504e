// The cost of a Reason call inside the router, without connections and engines: files, promises, closures, CPU time and
// memory.
import { createHook } from 'node:async_hooks';
import { Session } from 'node:inspector/promises';
import { GCProfiler, type GCProfilerResult } from 'node:v8';
import { parseArguments } from '../support/arguments.ts';
import { startCensusRouter } from './census-router.ts';
import { type Counted, countCoverage } from './coverage.ts';

const HELP = `Counts what one Reason passes in the router: files, functions, promises, closures; CPU time and bytes for each call.

Usage: node --expose-gc --max-semi-space-size=64 test/load/path-census.ts [options]

  --in-flight N   calls under way at once (default 64)
  --calls N       calls of one CPU measurement (default 40000); the median of five is printed
  --tracing       keep 1 % of the traces, as the settings do (default: tracing off)
  --batch N       send them N to a ReasonBatch; figures are still of one item (default: one by one)
  --cache         use the result cache, with inputs that repeat (default: bypassed)
  --files         print the files, and the functions called in each
  --json          print JSON for programs
  --help          this text

From the request's bytes to the answer's bytes, through the handler of Reason; two engines that answer at once stand in for
sidecars. So the figures leave out HTTP/2, gRPC and the engines.
`;

const ROUNDS = 5;
/** With this number of calls, the allocations fit into the young generation. */
const CALLS_WITHOUT_GC = 500;

interface Census extends Counted {
  readonly promises: number;
  readonly cpu_us: number;
  readonly bytes: number;
  /** Share of the young generation that lives through a scavenge. */
  readonly survivors_percent: number;
}

const { values } = parseArguments({
  options: {
    'in-flight': { type: 'string', default: '64' },
    calls: { type: 'string', default: '40000' },
    tracing: { type: 'boolean', default: false },
    batch: { type: 'string', default: '1' },
    cache: { type: 'boolean', default: false },
    files: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(HELP);
else await main();

async function main(): Promise<void> {
  if (gc === undefined) throw new Error('run it with node --expose-gc');
  const inFlight = Number(values['in-flight']);
  const calls = Number(values.calls);
  const router = startCensusRouter({ isTraced: values.tracing, isCached: values.cache });
  const items = Number(values.batch);
  const call = items === 1 ? router.call : (): Promise<void> => router.batch(items);
  const loop = (count: number): Promise<void> =>
    closedLoop(call, Math.ceil(inFlight / items), Math.ceil(count / items));

  await loop(20_000); // compiled
  const cpu: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) cpu.push(await cpuUs(loop, calls));
  const bytes: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) bytes.push(await bytesOf(loop));
  const survivors = await survivorsPercent(loop, calls);
  const promises = await countPromises(call);
  const counted = await coverageOf(call);
  router.stop();

  const census: Census = {
    ...counted,
    promises,
    cpu_us: median(cpu),
    bytes: Math.round(median(bytes)),
    survivors_percent: survivors,
  };
  print(census, inFlight);
}

function print({ byFile, ...figures }: Census, inFlight: number): void {
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ in_flight: inFlight, ...figures, by_file: byFile })}\n`);
    return;
  }
  for (const [name, figure] of Object.entries(figures)) {
    process.stdout.write(`${name.padEnd(18)} ${Math.round(figure * 100) / 100}\n`);
  }
  if (!values.files) return;
  for (const { file, functions, closures } of byFile) {
    process.stdout.write(`${file.padEnd(40)} ${closures} closures  ${functions.join(' ')}\n`);
  }
}

/** `inFlight` callers, each with one open call. */
async function closedLoop(call: () => Promise<void>, inFlight: number, count: number): Promise<void> {
  let left = count;
  const caller = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await call();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
}

async function cpuUs(loop: (count: number) => Promise<void>, calls: number): Promise<number> {
  const before = process.cpuUsage();
  await loop(calls);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

async function bytesOf(loop: (count: number) => Promise<void>): Promise<number> {
  gc!();
  const before = process.memoryUsage();
  await loop(CALLS_WITHOUT_GC);
  const after = process.memoryUsage();
  return (after.heapUsed - before.heapUsed + after.external - before.external) / CALLS_WITHOUT_GC;
}

async function survivorsPercent(loop: (count: number) => Promise<void>, calls: number): Promise<number> {
  gc!(); // moves long-lived objects to the old generation, as in a router that has run for a while
  const profiler = new GCProfiler();
  profiler.start();
  await loop(calls * 2);
  const percents: number[] = [];
  for (const { gcType, beforeGC, afterGC } of profiler.stop().statistics) {
    if (!gcType.startsWith('Scavenge')) continue;
    const before = used(beforeGC, 'new_space');
    const promoted = Math.max(0, used(afterGC, 'old_space') - used(beforeGC, 'old_space'));
    percents.push(((used(afterGC, 'new_space') + promoted) / before) * 100);
  }
  return median(percents);
}

function used({ heapSpaceStatistics }: GCProfilerResult['statistics'][number]['beforeGC'], space: string): number {
  return heapSpaceStatistics.find(({ spaceName }) => spaceName === space)!.spaceUsedSize;
}

async function countPromises(call: () => Promise<void>): Promise<number> {
  let promises = 0;
  const hook = createHook({
    init: (_id, type) => {
      if (type === 'PROMISE') promises += 1;
    },
  }).enable();
  await call();
  const ofTheCall = promises;
  promises = 0;
  await Promise.resolve();
  hook.disable();
  return ofTheCall - promises;
}

async function coverageOf(call: () => Promise<void>): Promise<Counted> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  await call();
  await session.post('Profiler.takePreciseCoverage');
  await call();
  const { result } = await session.post('Profiler.takePreciseCoverage');
  session.disconnect();
  return countCoverage(result);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
