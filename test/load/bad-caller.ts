// The effect of one caller's bad requests on another caller: its latency alone, beside as many good requests, and
// beside bad ones. Router, sidecars and both callers are separate processes, so that no caller affects the other's
// measurement.
import * as grpc from '@grpc/grpc-js';
import { parseArguments } from '../support/arguments.ts';
import { table } from '../../services/cli/table.ts';
import { ReasonRequest, ReasoningServiceClient } from '../../services/generated/tandem/v1/reasoning.ts';
import { CacheMode } from '../../services/generated/tandem/v1/types.ts';
import { BAD_KINDS, BadCaller } from '../support/bad-requests.ts';
import { readHeldout } from '../support/heldout.ts';
import { Operator } from '../support/operator.ts';
import { run } from '../support/process.ts';
import { startRouter } from '../support/router-process.ts';
import { startSidecar } from '../support/sidecar.ts';

const HELP = `Measures what one caller's bad requests cost another caller, who sends good ones one at a time.

Usage: node test/load/bad-caller.ts [options]

  --rate N      requests of the bad caller in a second (default 2000)
  --seconds N   length of each part (default 5)
  --rounds N    interleaved rounds; the figures are their medians (default 3)
  --engines N   C++ sidecars (default 2); the router's own engine is off
  --json        print JSON for programs
  --help        this text

Parts of a round: the good caller alone, beside the same rate of good requests, beside the bad ones. Close other
programs first: the machine's noise is in the figures.

Example: node test/load/bad-caller.ts --rate 2000 --rounds 5 --json
`;

const { values } = parseArguments({
  options: {
    rate: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    engines: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
    // How this program starts itself as a caller.
    as: { type: 'string' },
    address: { type: 'string', default: '' },
  },
});

const PARTS = ['alone', 'beside good ones', 'beside bad ones'] as const;
type Part = (typeof PARTS)[number];

interface Latency {
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly requests: number;
  readonly failed: number;
}

interface Measured {
  readonly parts: Readonly<Record<Part, Latency>>;
  /** p99 of the good caller, relative to its p99 alone. */
  readonly p99_beside_good: number;
  readonly p99_beside_bad: number;
  /** What the bad caller sent in each part, the median. */
  readonly sent_per_s: number;
  readonly breaker_events: number;
  readonly failed_attempts: number;
  readonly rate: number;
  readonly rounds: number;
}

if (values.help) process.stdout.write(HELP);
else if (values.as === 'caller') process.stdout.write(`${JSON.stringify(await callOneAtATime())}\n`);
else if (values.as === 'good' || values.as === 'bad')
  process.stdout.write(`${JSON.stringify(await pace(values.as))}\n`);
else {
  const measured = await measure();
  process.stdout.write(values.json ? `${JSON.stringify(measured)}\n` : describe(measured));
}

async function measure(): Promise<Measured> {
  const sidecars = await Promise.all(
    Array.from({ length: Number(values.engines) }, () => startSidecar('deploy/models')),
  );
  const router = await startRouter({
    cache: { enabled: false },
    local: { enabled: false },
    sidecars: sidecars.map(({ address }, at) => ({ id: `engine-${at + 1}`, address })),
  });
  const operator = new Operator(router.adminAddress);
  const samples: Record<Part, Latency[]> = { alone: [], 'beside good ones': [], 'beside bad ones': [] };
  const sentPerS: number[] = [];
  await play('caller', router.address); // for the JIT compilers of both
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    for (const part of PARTS) {
      process.stderr.write(`  … round ${round} of ${values.rounds}: ${part}\n`);
      const beside =
        part === 'alone' ? undefined : play<number>(part === 'beside bad ones' ? 'bad' : 'good', router.address);
      samples[part].push(await play<Latency>('caller', router.address));
      const sent = await beside;
      if (sent !== undefined) sentPerS.push(sent / Number(values.seconds));
    }
  }
  const engines = await operator.engines();
  operator.close();
  await router.stop();
  await Promise.all(sidecars.map((sidecar) => sidecar.stop()));
  const parts = Object.fromEntries(PARTS.map((part) => [part, medians(samples[part])])) as Record<Part, Latency>;
  return {
    parts,
    p99_beside_good: parts['beside good ones'].p99_ms / parts.alone.p99_ms,
    p99_beside_bad: parts['beside bad ones'].p99_ms / parts.alone.p99_ms,
    sent_per_s: median(sentPerS),
    breaker_events: engines.reduce((sum, { breakerEvents }) => sum + breakerEvents.length, 0),
    failed_attempts: engines.reduce((sum, { failed }) => sum + Number(failed), 0),
    rate: Number(values.rate),
    rounds: Number(values.rounds),
  };
}

/** Runs this program as one of the callers; resolves with what it prints. */
async function play<T>(as: string, address: string): Promise<T> {
  const args = ['--as', as, '--address', address, '--rate', values.rate, '--seconds', values.seconds];
  const { code, stdout, stderr } = await run('test/load/bad-caller.ts', args).finished;
  if (code !== 0) throw new Error(`a caller failed: ${stderr}`);
  return JSON.parse(stdout) as T;
}

async function callOneAtATime(): Promise<Latency> {
  const client = new ReasoningServiceClient(values.address, grpc.credentials.createInsecure());
  const requests = goodRequests();
  const timesMs: number[] = [];
  let failed = 0;
  // The first second does not count: the JIT compiler and the other caller start in it.
  const beganMs = performance.now() + 1_000;
  for (let at = 0; performance.now() < beganMs + Number(values.seconds) * 1_000; at += 1) {
    const sentMs = performance.now();
    const isGood = await succeeds(client, requests[at % requests.length]!);
    if (sentMs < beganMs) continue;
    timesMs.push(performance.now() - sentMs);
    if (!isGood) failed += 1;
  }
  client.close();
  timesMs.sort((a, b) => a - b);
  const percentile = (percent: number): number => timesMs[Math.ceil((percent / 100) * timesMs.length) - 1] ?? NaN;
  return { p50_ms: percentile(50), p99_ms: percentile(99), requests: timesMs.length, failed };
}

/** Sends for two seconds longer than the other caller measures; resolves with the number sent in one such time. */
async function pace(as: 'good' | 'bad'): Promise<number> {
  const client = new ReasoningServiceClient(values.address, grpc.credentials.createInsecure());
  const bad = new BadCaller(client, readHeldout());
  const requests = goodRequests();
  const [rate, seconds] = [Number(values.rate), Number(values.seconds)];
  const total = rate * (seconds + 2);
  const calls: Promise<unknown>[] = [];
  const beganMs = performance.now();
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const ticker = setInterval(() => {
    const due = Math.min(total, ((performance.now() - beganMs) * rate) / 1_000);
    while (calls.length < due) {
      const at = calls.length;
      calls.push(
        as === 'bad' ? bad.send(BAD_KINDS[at % BAD_KINDS.length]!) : succeeds(client, requests[at % requests.length]!),
      );
    }
    if (calls.length >= total) resolve(undefined);
  }, 1);
  await promise;
  clearInterval(ticker);
  const tookS = (performance.now() - beganMs) / 1_000;
  await Promise.all(calls);
  client.close();
  return (total / tookS) * seconds;
}

function goodRequests(): ReasonRequest[] {
  return readHeldout().map(({ data }) =>
    ReasonRequest.fromPartial({
      tensor: { shape: [768], dtype: 'FP32', data },
      cache: CacheMode.CACHE_MODE_BYPASS,
    }),
  );
}

function succeeds(client: ReasoningServiceClient, request: ReasonRequest): Promise<boolean> {
  return new Promise((resolve) => client.reason(request, (error) => resolve(error === null)));
}

function medians(samples: readonly Latency[]): Latency {
  const of = (key: keyof Latency): number => median(samples.map((sample) => sample[key]));
  const failed = samples.reduce((sum, sample) => sum + sample.failed, 0);
  return { p50_ms: of('p50_ms'), p99_ms: of('p99_ms'), requests: of('requests'), failed };
}

function median(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[list.length >> 1] ?? NaN;
}

function describe({ parts, ...measured }: Measured): string {
  const row = (part: Part): string[] => {
    const { p50_ms, p99_ms, requests, failed } = parts[part];
    const ratio = p99_ms / parts.alone.p99_ms;
    return [part, p50_ms.toFixed(2), p99_ms.toFixed(2), ratio.toFixed(2), String(requests), String(failed)];
  };
  const head = ['GOOD CALLER', 'P50 MS', 'P99 MS', 'P99 OF ALONE', 'REQUESTS', 'FAILED'];
  return [
    table(head, PARTS.map(row)),
    `the other caller sent ${measured.sent_per_s.toFixed(0)} requests a second; medians of ${measured.rounds} rounds`,
    `${measured.breaker_events} breaker events, ${measured.failed_attempts} attempts failed by an engine’s fault`,
    '',
  ].join('\n');
}
