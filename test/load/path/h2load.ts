// The load generator of the closed loops: h2load of nghttp2, native and one thread, 4 to 8 µs of CPU a call. It sends one
// request again and again, which no result depends on: engines compute it each time, and nothing is cached.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { grpcMessage } from '../../edge/wire.ts';

export interface LoadTarget {
  readonly address: string;
  /** "/package.Service/Method". */
  readonly path: string;
  /** The request's message. */
  readonly request: Uint8Array;
  /** Fewest bytes of an answer's message: a call that failed has none. */
  readonly answerBytes: number;
}

export interface ClosedLoop {
  readonly inFlight: number;
  /** That they are spread over. */
  readonly connections: number;
  readonly seconds: number;
}

export interface LoadFigures {
  readonly calls: number;
  readonly callsPerS: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
}

const PREFIX_BYTES = 5;

/** `cpus`: for taskset; empty: any. Throws if a call fails. */
export async function closedLoop(
  target: LoadTarget,
  { inFlight, connections, seconds }: ClosedLoop,
  cpus: string,
): Promise<LoadFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-h2load-'));
  const [body, log] = [join(folder, 'body'), join(folder, 'log')];
  writeFileSync(body, grpcMessage(target.request));
  const clients = Math.min(connections, inFlight);
  const args = [
    ...['--clients', String(clients), '--max-concurrent-streams', String(inFlight / clients), '--threads', '1'],
    ...['--duration', String(seconds), '--data', body, '--log-file', log],
    ...['-H', 'content-type: application/grpc', '-H', 'te: trailers', '-H', 'grpc-timeout: 10S'],
    `http://${target.address}${target.path}`,
  ];
  const command = cpus === '' ? ['h2load', ...args] : ['taskset', '--cpu-list', cpus, 'h2load', ...args];
  try {
    const { stdout } = await promisify(execFile)(command[0]!, command.slice(1), { maxBuffer: 1 << 24 });
    return figures(stdout, readFileSync(log, 'latin1'), target);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function figures(report: string, log: string, target: LoadTarget): LoadFigures {
  const whole = (pattern: RegExp): number => Number(pattern.exec(report)?.[1] ?? NaN);
  const done = whole(/(\d+) succeeded/);
  const dataBytes = whole(/\((\d+)\) data/);
  const failed = whole(/(\d+) failed/) + whole(/(\d+) errored/);
  if (failed > 0 || !(done > 0) || dataBytes < done * (target.answerBytes + PREFIX_BYTES)) {
    throw new Error(`calls of ${target.path} at ${target.address} failed: ${report}`);
  }
  const latencies: number[] = [];
  let [first, last] = [Infinity, 0];
  for (const line of log.split('\n')) {
    if (line === '') continue;
    const [start, , latency] = line.split('\t').map(Number) as [number, number, number];
    latencies.push(latency);
    first = Math.min(first, start);
    last = Math.max(last, start + latency);
  }
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.ceil(share * latencies.length) - 1]!;
  return {
    calls: done,
    callsPerS: latencies.length / ((last - first) / 1e6),
    p50Us: at(0.5),
    p99Us: at(0.99),
    p999Us: at(0.999),
  };
}
