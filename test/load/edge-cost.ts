// The cost of a call for an edge: CPU time of its process, with a handler that returns its request, and calls a second.
// The server has one core and the client another. Usage: npx node test/load/edge-cost.ts [rounds] [edge,edge]
import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../..');
const LOAD = join(ROOT, 'sidecar-cpp/build/release/tandem-load');
const ENCODINGS = join(ROOT, 'test/data/supersense/heldout.f16');
const IN_FLIGHT = [64, 8, 1];
const SECONDS = 3;
const EDGES = (process.argv[3] ?? 'own,grpc-js').split(',');
const run = promisify(execFile);

interface Server {
  readonly pid: number;
  readonly address: string;
  stop(): void;
}

async function start(edge: string): Promise<Server> {
  const args = ['-c', '0', process.execPath, ...process.execArgv, join(ROOT, 'test/load/edge-server.ts'), edge];
  const child = spawn('taskset', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const address of createInterface(child.stdout)) {
    return { pid: child.pid!, address, stop: () => void child.kill() };
  }
  throw new Error(`the ${edge} edge did not start`);
}

function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) * 10;
}

async function load(
  address: string,
  inFlight: number,
  seconds: number,
): Promise<{ calls_per_s: number; p50_us: number; errors: number }> {
  const what = ['--target', address, '--call', 'reason', '--model', 'supersense', '--inputs', ENCODINGS];
  const howMuch = ['--concurrency', String(inFlight), '--duration', String(seconds)];
  const { stdout } = await run('taskset', ['-c', '1', LOAD, ...what, ...howMuch]);
  return JSON.parse(stdout) as { calls_per_s: number; p50_us: number; errors: number };
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;

const rounds = Number(process.argv[2] ?? 3);
const servers = new Map<string, Server>();
for (const edge of EDGES) servers.set(edge, await start(edge));
try {
  for (const { address } of servers.values()) await load(address, 64, 2); // warm
  for (const inFlight of IN_FLIGHT) {
    const costs = new Map<string, number[]>();
    const rates = new Map<string, number[]>();
    const p50s = new Map<string, number[]>();
    for (let round = 0; round < rounds; round += 1) {
      for (const [edge, { pid, address }] of servers) {
        const before = cpuMs(pid);
        const { calls_per_s: perS, p50_us: p50, errors } = await load(address, inFlight, SECONDS);
        if (errors > 0) throw new Error(`${errors} calls failed`);
        const us = ((cpuMs(pid) - before) * 1_000) / (perS * SECONDS);
        costs.set(edge, [...(costs.get(edge) ?? []), us]);
        rates.set(edge, [...(rates.get(edge) ?? []), perS]);
        p50s.set(edge, [...(p50s.get(edge) ?? []), p50]);
      }
    }
    for (const edge of EDGES) {
      const text = `${median(costs.get(edge)!).toFixed(1)} µs of CPU a call, ${Math.round(median(rates.get(edge)!))} calls/s, p50 ${Math.round(median(p50s.get(edge)!))} µs`;
      process.stdout.write(`${String(inFlight).padStart(3)} in flight  ${edge.padEnd(8)} ${text}\n`);
    }
  }
} finally {
  for (const server of servers.values()) server.stop();
}
