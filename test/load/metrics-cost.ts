// The cost of metrics: all calls of Metrics for one ordinary request, and of reading all counts.
import { parseArguments } from '../support/arguments.ts';
import { Metrics } from '../../services/telemetry/metrics.ts';
import { Random } from '../fuzz/random.ts';

const HELP = `Measures what the metrics cost, in this process.

Usage: node test/load/metrics-cost.ts [options]

  --requests N   requests in one round (default 200000)
  --rounds N     rounds; the figures are their medians (default 9)
  --json         print JSON for programs
  --help         this text

Example: node test/load/metrics-cost.ts --rounds 21 --json
`;

const ENGINES = ['local', 'engine-1', 'engine-2'];
const READS = 200;

const { values } = parseArguments({
  options: {
    requests: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '9' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) {
  process.stdout.write(HELP);
} else {
  const measured = measure(Number(values.requests), Number(values.rounds));
  process.stdout.write(values.json ? `${JSON.stringify(measured)}\n` : `${describe(measured)}\n`);
}

interface Measured {
  /** planned + attemptEnded + cacheUsed + requestEnded. */
  readonly request_us: number;
  readonly snapshot_us: number;
  readonly requests: number;
  readonly rounds: number;
}

function measure(requests: number, rounds: number): Measured {
  const metrics = new Metrics();
  // Generated in advance, so that only counting is measured.
  const random = new Random(1);
  const durationsMs = Float64Array.from({ length: 4_096 }, () => 0.2 - 2 * Math.log(1 - random.next()));
  const requestUs: number[] = [];
  const snapshotUs: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    requestUs.push(timeUs(requests, (k) => tell(metrics, k, durationsMs[k & 4_095]!)));
    snapshotUs.push(timeUs(READS, () => metrics.snapshot()));
  }
  // The first round is for the JIT compiler.
  return {
    request_us: median(requestUs.slice(1)),
    snapshot_us: median(snapshotUs.slice(1)),
    requests,
    rounds,
  };
}

function tell(metrics: Metrics, k: number, durationMs: number): void {
  metrics.planned('ROUND_ROBIN');
  metrics.attemptEnded(ENGINES[k % ENGINES.length]!, 'OK', durationMs);
  metrics.cacheUsed('MISS');
  metrics.requestEnded('Reason', 'OK', durationMs + 0.1);
}

function timeUs(times: number, run: (k: number) => void): number {
  const startedMs = performance.now();
  for (let k = 0; k < times; k += 1) run(k);
  return ((performance.now() - startedMs) * 1_000) / times;
}

function median(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[list.length >> 1]!;
}

function describe(measured: Measured): string {
  return [
    `${measured.request_us.toFixed(3)} µs to count one request (planned, attemptEnded, cacheUsed, requestEnded)`,
    `${measured.snapshot_us.toFixed(1)} µs to read everything (1 request type, ${ENGINES.length} engines)`,
    `medians of ${measured.rounds} rounds, ${measured.requests} requests each`,
  ].join('\n');
}
