// The load generator of the path's part: tandem-wire-load (sidecar-cpp/bench), native, one thread, 5 to 10 µs of CPU a call.
// It shares its CPU with the engines, and is never the bottleneck here.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { grpcMessage } from '../../edge/wire.ts';

export interface LoadTarget {
  /** "host:port". */
  readonly address: string;
  /** "/package.Service/Method". */
  readonly path: string;
  /** Messages, sent in turn. */
  readonly requests: readonly Uint8Array[];
  /** Fewest bytes of an answer: a call that failed has none. */
  readonly answerBytes: number;
  /** One stream a connection; a request is one message of it. `RESULTS`: each answer may hold several results. */
  readonly stream?: 'MESSAGES' | 'RESULTS';
}

/** `ratePerS`: an open loop. Else a closed one. */
export type Loop = { readonly connections: number } & ({ readonly inFlight: number } | { readonly ratePerS: number });

interface LoadFigures {
  readonly calls: number;
  readonly callsPerS: number;
  /** Latencies count from the planned time of a call. */
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  /** Share of calls that were refused or not answered. Closed loops have none. */
  readonly failedShare: number;
}

interface Report {
  readonly calls: number;
  readonly errors: number;
  readonly calls_per_s: number;
  readonly p50_us: number;
  readonly p99_us: number;
  readonly p999_us: number;
}

const GENERATOR = join(import.meta.dirname, '../../../sidecar-cpp/build/release/tandem-wire-load');
const LOAD_CPU = '1';
/**
 * Added to this process's own priority: above the engines on the same CPU, so that due calls are sent in time. Only
 * root may do that.
 */
const NICE = '-5';
const runFile = promisify(execFile);

/** Throws if a call fails in a closed loop, since the figures would be wrong. */
export async function generate(target: LoadTarget, loop: Loop, seconds: number): Promise<LoadFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-load-'));
  const bodies = join(folder, 'bodies');
  writeFileSync(bodies, Buffer.concat(target.requests.map(grpcMessage)));
  const at = target.address.lastIndexOf(':');
  const args = [
    ...['--host', target.address.slice(0, at), '--port', target.address.slice(at + 1), '--path', target.path],
    ...['--bodies', bodies, '--duration', String(seconds), '--min-answer-bytes', String(target.answerBytes)],
    ...['--connections', String(loop.connections)],
    ...('ratePerS' in loop ? ['--rate', String(loop.ratePerS)] : ['--in-flight', String(loop.inFlight)]),
    ...(target.stream === undefined ? [] : ['--stream']),
    ...(target.stream === 'RESULTS' ? ['--count-results'] : []),
  ];
  const command = [...first(), GENERATOR, ...args];
  try {
    const { stdout } = await runFile(command[0]!, command.slice(1));
    const report = JSON.parse(stdout) as Report;
    const { calls, errors, calls_per_s, p50_us, p99_us, p999_us } = report;
    if (errors > 0 && 'inFlight' in loop)
      throw new Error(`${errors} calls of ${target.path} at ${target.address} failed`);
    const failedShare = errors / Math.max(1, errors + calls);
    return { calls, callsPerS: calls_per_s, p50Us: p50_us, p99Us: p99_us, p999Us: p999_us, failedShare };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function first(): string[] {
  const priority = process.getuid?.() === 0 ? ['nice', '-n', NICE] : [];
  return availableParallelism() < 2 ? priority : [...priority, 'taskset', '--cpu-list', LOAD_CPU];
}
