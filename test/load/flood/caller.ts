// The program of the other caller: one call every few milliseconds, without waiting for answers.
import { parseArguments } from '../../support/arguments.ts';
import { GrpcClient } from '../../../services/grpc/client.ts';
import { Metadata } from '../../../services/grpc/metadata.ts';
import { REASON, goodRequests } from './requests.ts';

const { values } = parseArguments({
  options: {
    address: { type: 'string', default: '' },
    token: { type: 'string', default: '' },
    seconds: { type: 'string', default: '5' },
    rate: { type: 'string', default: '200' },
  },
});

/** Not counted: time for the JIT compilers of both sides and for the start of the flood. */
const WARM_UP_MS = 1_500;

export interface Latency {
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
  readonly requests: number;
  readonly failed: number;
}

const requests = goodRequests();
const metadata = Metadata.of({ authorization: `Bearer ${values.token}` });
const client = await GrpcClient.connect(values.address);
const everyMs = 1_000 / Number(values.rate);
const total = Math.round((WARM_UP_MS + Number(values.seconds) * 1_000) / everyMs);
const timesMs: number[] = [];
const calls: Promise<void>[] = [];
let failed = 0;

async function send(at: number, isCounted: boolean): Promise<void> {
  const sentMs = performance.now();
  const isGood = await client.unary(REASON, requests[at % requests.length]!, { metadata, timeoutMs: 5_000 }).then(
    () => true,
    () => false,
  );
  if (!isCounted) return;
  timesMs.push(performance.now() - sentMs);
  if (!isGood) failed += 1;
}

const beganMs = performance.now();
while (calls.length < total) {
  const dueMs = beganMs + calls.length * everyMs;
  const waitMs = dueMs - performance.now();
  if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
  calls.push(send(calls.length, dueMs >= beganMs + WARM_UP_MS));
}
await Promise.all(calls);
client.close();
timesMs.sort((a, b) => a - b);
const at = (percent: number): number => timesMs[Math.ceil((percent / 100) * timesMs.length) - 1] ?? NaN;
const latency: Latency = { p50_ms: at(50), p99_ms: at(99), max_ms: at(100), requests: timesMs.length, failed };
process.stdout.write(`${JSON.stringify(latency)}\n`);
process.exit(0);
