// The effect of one caller's hostile batches on another caller: its latency alone, and beside 1,000 batches at once
// with 4 MB of empty items each. Router, sidecars and both callers are separate processes.
import { type IncomingHttpHeaders, connect } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import { parseArguments } from '../support/arguments.ts';
import { table } from '../../services/cli/table.ts';
import { ReasonRequest, ReasoningServiceClient } from '../../services/generated/tandem/v1/reasoning.ts';
import { CacheMode } from '../../services/generated/tandem/v1/types.ts';
import { readHeldout } from '../support/heldout.ts';
import { run } from '../support/process.ts';
import { startRouter } from '../support/router-process.ts';
import { startSidecar } from '../support/sidecar.ts';

const HELP = `Measures what 1,000 hostile batches at once cost another caller, who sends good requests one at a time.

Usage: node test/load/heavy-batches.ts [options]

  --batches N   batches at once (default 1000)
  --kind KIND   what they hold (default empty):
                  empty: 4 MB of items without a byte; full: 1,024 items that fill 4 MB
  --rounds N    the figures are their medians (default 3)
  --json        print JSON for programs
  --help        this text

Close other programs first: the machine's noise is in the figures.
`;

const { values } = parseArguments({
  options: {
    batches: { type: 'string', default: '1000' },
    kind: { type: 'string', default: 'empty' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
    // How this program starts itself as a caller.
    as: { type: 'string' },
    address: { type: 'string', default: '' },
  },
});

const MESSAGE_BYTES = 4_194_304;
const MAX_ITEMS = 1_024;
const ALONE_MS = 4_000;

interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly requests: number;
  readonly failed: number;
}

interface Sent {
  readonly tookMs: number;
  /** By the name of the status. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** The router's CPU time for them and the good caller. */
  readonly cpuMs?: number;
}

if (values.help) process.stdout.write(HELP);
else if (values.as === 'caller') await call();
else if (values.as === 'hostile') process.stdout.write(`${JSON.stringify(await sendBatches())}\n`);
else await measure();

async function measure(): Promise<void> {
  const sidecars = await Promise.all([startSidecar('deploy/models'), startSidecar('deploy/models')]);
  const router = await startRouter({
    cache: { enabled: false },
    local: { enabled: false },
    sidecars: sidecars.map(({ address }, at) => ({ id: `engine-${at + 1}`, address })),
  });
  const alone: Latency[] = [];
  const beside: Latency[] = [];
  const sent: Sent[] = [];
  let rssBytes = 0;
  const watch = setInterval(() => (rssBytes = Math.max(rssBytes, router.rssBytes())), 50);
  await callWhile(router.address, async () => await sleep(2_000)); // for the compilers
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    alone.push(await callWhile(router.address, async () => await sleep(ALONE_MS)));
    beside.push(
      await callWhile(router.address, async () => {
        const args = [
          '--as',
          'hostile',
          '--address',
          router.address,
          '--batches',
          values.batches,
          '--kind',
          values.kind,
        ];
        const before = router.cpuMs();
        const { code, stdout, stderr } = await run('test/load/heavy-batches.ts', args).finished;
        if (code !== 0) throw new Error(`the hostile caller failed: ${stderr}`);
        sent.push({ ...(JSON.parse(stdout) as Sent), cpuMs: router.cpuMs() - before });
      }),
    );
  }
  clearInterval(watch);
  await router.stop();
  await Promise.all(sidecars.map((sidecar) => sidecar.stop()));
  const measured = {
    alone: medians(alone),
    beside: medians(beside),
    p99_ratio: medians(beside).p99 / medians(alone).p99,
    sent,
    rss_mib: Math.round(rssBytes / 1_048_576),
  };
  if (values.json) {
    process.stdout.write(`${JSON.stringify(measured)}\n`);
    return;
  }
  const row = (name: string, { p50, p99, max, requests, failed }: Latency): string[] => [
    ...[name, p50.toFixed(2), p99.toFixed(2), max.toFixed(2), String(requests), String(failed)],
  ];
  const rows = [row('alone', measured.alone), row('beside batches', measured.beside)];
  process.stdout.write(table(['GOOD CALLER', 'P50 MS', 'P99 MS', 'MAX MS', 'REQUESTS', 'FAILED'], rows));
  process.stdout.write(`p99 × ${measured.p99_ratio.toFixed(2)}, the router took ${measured.rss_mib} MiB at most\n`);
  for (const { tookMs, outcomes, cpuMs = NaN } of sent) {
    process.stdout.write(`${JSON.stringify(outcomes)} in ${tookMs.toFixed(0)} ms, ${cpuMs} ms of the router’s CPU\n`);
  }
}

/** The measurement of a caller of good requests during `work`. */
async function callWhile(address: string, work: () => Promise<void>): Promise<Latency> {
  const { child, line, finished } = run('test/load/heavy-batches.ts', ['--as', 'caller', '--address', address]);
  await line(/^ready$/);
  child.kill('SIGUSR2');
  await work();
  child.kill('SIGTERM');
  const { code, stdout, stderr } = await finished;
  if (code !== 0) throw new Error(`the caller failed: ${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Latency;
}

async function call(): Promise<void> {
  const client = new ReasoningServiceClient(values.address, grpc.credentials.createInsecure());
  const requests = readHeldout().map(({ data }) =>
    ReasonRequest.fromPartial({ tensor: { shape: [768], dtype: 'FP32', data }, cache: CacheMode.CACHE_MODE_BYPASS }),
  );
  let [isMeasuring, isOver, failed] = [false, false, 0];
  process.on('SIGUSR2', () => (isMeasuring = true));
  process.on('SIGTERM', () => (isOver = true));
  const timesMs: number[] = [];
  for (let at = 0; !isOver; at += 1) {
    if (at === 300) process.stdout.write('ready\n');
    const sentMs = performance.now();
    const isGood = await new Promise<boolean>((resolve) =>
      client.reason(requests[at % requests.length]!, (error) => resolve(error === null)),
    );
    if (!isMeasuring) continue;
    timesMs.push(performance.now() - sentMs);
    if (!isGood) failed += 1;
  }
  client.close();
  timesMs.sort((a, b) => a - b);
  const at = (percent: number): number => timesMs[Math.ceil((percent / 100) * timesMs.length) - 1] ?? NaN;
  const latency: Latency = { p50: at(50), p99: at(99), max: at(100), requests: timesMs.length, failed };
  process.stdout.write(`${JSON.stringify(latency)}\n`);
}

/** Without a gRPC client, which would use too much CPU itself. */
async function sendBatches(): Promise<Sent> {
  const message = frame(values.kind === 'full' ? fullBatch() : Buffer.alloc(MESSAGE_BYTES, Buffer.from([0x0a, 0x00])));
  const session = connect(`http://${values.address}`, { maxSessionMemory: 100_000 });
  session.setMaxListeners(0);
  const beganMs = performance.now();
  const outcomes: Record<string, number> = {};
  const send = (): Promise<void> =>
    new Promise((resolve) => {
      const stream = session.request({
        ':method': 'POST',
        ':path': '/tandem.v1.ReasoningService/ReasonBatch',
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      let status: string | undefined;
      const note = (headers: IncomingHttpHeaders): void => {
        const code = headers['grpc-status'];
        if (code === undefined) return;
        status = grpc.status[Number(code)] ?? 'UNKNOWN';
        stream.close();
      };
      stream.on('response', note);
      stream.on('trailers', note);
      stream.on('error', () => undefined);
      stream.on('close', () => {
        const name = status ?? `stream closed (${stream.rstCode})`;
        outcomes[name] = (outcomes[name] ?? 0) + 1;
        resolve();
      });
      stream.resume();
      stream.end(message);
    });
  await Promise.all(Array.from({ length: Number(values.batches) }, send));
  const tookMs = performance.now() - beganMs;
  session.destroy();
  return { tookMs, outcomes };
}

function frame(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Items with an input that is too long for the model: each is read, and none reaches an engine. */
function fullBatch(): Buffer {
  const encoding = Array.from({ length: 1_018 }, (_, k) => (k % 2 === 0 ? 0 : 1));
  const item = Buffer.from(ReasonRequest.encode(ReasonRequest.fromPartial({ encoding })).finish());
  const field = Buffer.concat([Buffer.from([0x0a, (item.length & 127) | 128, item.length >> 7]), item]);
  return Buffer.concat(Array.from({ length: MAX_ITEMS }, () => field)).subarray(0, MESSAGE_BYTES);
}

function medians(samples: readonly Latency[]): Latency {
  const of = (key: keyof Latency): number =>
    samples.map((sample) => sample[key]).sort((a, b) => a - b)[samples.length >> 1] ?? NaN;
  const failed = samples.reduce((sum, sample) => sum + sample.failed, 0);
  return { p50: of('p50'), p99: of('p99'), max: of('max'), requests: of('requests'), failed };
}

async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
