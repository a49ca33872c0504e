// The TypeScript engine as a subject: as in the router, with its worker thread and messages.
// Usage: node typescript-subject.ts REPOSITORY MODEL INPUTS SHAPE STEPS; the protocol is that of test/load/peers/subject.py.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { LocalEngine } from '../../../services/engines/local/local-engine.ts';

const SAMPLE_SECONDS = 2e-3;

const [repository = '', model = '', file = '', shapeText = '', steps = ''] = process.argv.slice(2);
const shape = shapeText.split(',').map(Number);
const bytes = readFileSync(file);
const itemBytes = shape.reduce((product, n) => product * n, 4) * (steps === '' ? 1 : Number(steps));
const inputs = Array.from({ length: bytes.length / itemBytes }, (_, k) => ({
  model,
  version: 1,
  shape: steps === '' ? shape : [Number(steps), ...shape],
  data: bytes.subarray(k * itemBytes, (k + 1) * itemBytes),
}));
const engine = new LocalEngine({ id: 'local', modelsDir: repository, workers: 1 });
await engine.start();
const context = { deadlineMs: Infinity, signal: new AbortController().signal };

const infer = (first: number, count: number): Promise<{ spikeCounts: ArrayLike<number> }[]> =>
  Promise.all(Array.from({ length: count }, (_, k) => engine.infer(inputs[(first + k) % inputs.length]!, context)));

let first = 0;

/**
 * Elapsed time or CPU time, whichever is smaller, in seconds, so that time of other programs on the core does not
 * count.
 */
async function sample(batch: number, runs: number): Promise<number> {
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  for (let k = 0; k < runs; k += 1) {
    await infer(first, batch);
    first = (first + batch) % inputs.length;
  }
  const { user, system } = process.cpuUsage(cpu);
  return Math.min((performance.now() - startedMs) / 1e3, (user + system) / 1e6) / runs;
}

async function medianUs(batch: number, seconds: number): Promise<number> {
  await sample(batch, 1);
  const runs = Math.ceil((5 * SAMPLE_SECONDS) / (await sample(batch, 1)));
  const samples: number[] = [];
  for (let spent = 0; spent < seconds;) {
    const took = await sample(batch, runs);
    spent += took * runs;
    samples.push(took);
  }
  return ((samples.sort((a, b) => a - b)[samples.length >> 1] ?? NaN) * 1e6) / batch;
}

const counts = (await infer(0, inputs.length)).map(({ spikeCounts }) => Array.from(spikeCounts));
process.stdout.write(`${JSON.stringify({ version: process.version, counts: [counts] })}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const [batch = 1, seconds = 1] = line.split(' ').map(Number);
  process.stdout.write(`${JSON.stringify({ us: await medianUs(batch, seconds) })}\n`);
}
await engine.stop();
