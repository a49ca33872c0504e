// The path: what the router adds to a call, beside what HAProxy adds, both before the same sidecar in the same run.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { run } from '../support/process.ts';
import { startSidecar } from '../support/sidecar.ts';
import type { Row } from './row.ts';

const ROOT = join(import.meta.dirname, '../..');
const BUILD = join(ROOT, 'sidecar-cpp/build/release');
const ENCODINGS = join(ROOT, 'test/data/supersense/heldout.f16');
const IN_FLIGHT = [1, 64];
const SECONDS = 2;

const namesAt = (inFlight: number): [router: string, haproxy: string, added: string, calls: string] => {
  const at = inFlight === 1 ? 'one at a time' : `${inFlight} in flight`;
  return [
    `p50 through the router vs direct, ${at}`,
    `p50 through HAProxy vs direct, ${at}`,
    `added p50, router vs HAProxy, ${at}`,
    `calls, router vs HAProxy, ${at}`,
  ];
};

/** What the rows are called. */
export const pathNames = (): string[] => IN_FLIGHT.flatMap(namesAt);

const runFile = promisify(execFile);

interface Measured {
  readonly p50_us: number;
  readonly calls_per_s: number;
  readonly errors: number;
}

interface Target {
  readonly address: string;
  readonly call: 'infer' | 'reason';
}

export async function benchPath(rounds: number, progress: (text: string) => void): Promise<Row[]> {
  const dir = mkdtempSync(join(tmpdir(), 'tandem-bench-'));
  const [proxyPort, routerPort] = [await freePort(), await freePort()];
  const engine = await startSidecar(join(ROOT, 'deploy/models'));
  const { address } = engine;
  const children: ChildProcess[] = [];
  try {
    children.push(await startProxy(dir, address, proxyPort));
    children.push(await startRouter(dir, address, routerPort));

    const targets: Record<'direct' | 'haproxy' | 'router', Target> = {
      direct: { address, call: 'infer' },
      haproxy: { address: `127.0.0.1:${proxyPort}`, call: 'infer' },
      router: { address: `127.0.0.1:${routerPort}`, call: 'reason' },
    };
    const rows: Row[] = [];
    for (const inFlight of IN_FLIGHT) {
      const samples: Record<keyof typeof targets, Measured[]> = { direct: [], haproxy: [], router: [] };
      for (let round = 1; round <= rounds; round += 1) {
        progress(`path, ${inFlight} in flight, round ${round} of ${rounds}`);
        for (const name of ['direct', 'haproxy', 'router'] as const) {
          samples[name].push(await load(targets[name], inFlight));
        }
      }
      rows.push(...toRows(samples, inFlight));
    }
    return rows;
  } finally {
    for (const child of children) child.kill('SIGTERM');
    await engine.stop();
  }
}

function toRows(samples: Record<'direct' | 'haproxy' | 'router', Measured[]>, inFlight: number): Row[] {
  const p50 = (name: keyof typeof samples): number => median(samples[name].map((each) => each.p50_us));
  const rate = (name: keyof typeof samples): number => median(samples[name].map((each) => each.calls_per_s));
  const [throughRouter, throughHaproxy, addedBy, calls] = namesAt(inFlight);
  const added = { router: p50('router') - p50('direct'), haproxy: p50('haproxy') - p50('direct') };
  return [
    {
      what: throughRouter,
      ours: p50('router'),
      peer: p50('direct'),
      unit: 'µs',
      ratio: p50('router') / p50('direct'),
      reads: 'of direct',
    },
    {
      what: throughHaproxy,
      ours: p50('haproxy'),
      peer: p50('direct'),
      unit: 'µs',
      ratio: p50('haproxy') / p50('direct'),
      reads: 'of direct',
    },
    {
      what: addedBy,
      ours: added.router,
      peer: added.haproxy,
      unit: 'µs',
      ratio: added.router / added.haproxy,
      reads: 'of HAProxy’s',
    },
    {
      what: calls,
      ours: rate('router'),
      peer: rate('haproxy'),
      unit: 'calls/s',
      ratio: rate('router') / rate('haproxy'),
      reads: 'of HAProxy’s',
    },
  ];
}

async function load({ address, call }: Target, inFlight: number): Promise<Measured> {
  const what = ['--target', address, '--call', call, '--model', 'supersense', '--inputs', ENCODINGS];
  const howMuch = ['--concurrency', String(inFlight), '--duration', String(SECONDS)];
  const { stdout } = await runFile(join(BUILD, 'tandem-load'), [...what, ...howMuch]);
  const measured = JSON.parse(stdout) as Measured;
  if (measured.errors > 0) throw new Error(`${measured.errors} calls to ${address} failed`);
  return measured;
}

async function startRouter(dir: string, engineAddress: string, port: number): Promise<ChildProcess> {
  const config = join(dir, 'router.yaml');
  const lines = [
    `listen: 127.0.0.1:${port}`,
    'http_listen: off',
    'local: {enabled: false}',
    'cache: {enabled: false}', // 500 inputs again and again would be hits
    `sidecars: [{id: engine-1, address: "${engineAddress}"}]`,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const router = run('services/start.ts', ['--config', config]);
  await router.line(/Try it/);
  return router.child;
}

async function startProxy(dir: string, engineAddress: string, port: number): Promise<ChildProcess> {
  const config = join(dir, 'haproxy.cfg');
  writeFileSync(
    config,
    `global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend grpc
  bind 127.0.0.1:${port} proto h2
  default_backend engine
backend engine
  server engine-1 ${engineAddress} proto h2
`,
  );
  const child = spawn('haproxy', ['-f', config, '-db'], { stdio: 'ignore' });
  const failed = once(child, 'error').then(() => {
    throw new Error('haproxy did not start; install it: apt-get install -y haproxy');
  });
  await Promise.race([failed, once(child, 'spawn')]);
  return child;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}
