// The proxies that are compared with the router: each with one thread and the same sidecars, over HTTP/2 on both sides.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from '../../support/free-ports.ts';
import { envoyConfig, haproxyConfig, nginxConfig } from './peer-configs.ts';

interface Proxy {
  readonly name: string;
  readonly address: string;
  /** The process that does the work. */
  readonly pid: number;
  stop(): Promise<void>;
}

export interface Peer {
  readonly name: string;
  /** Starts it for the engines; rejects with the package to install if it is missing. */
  start(folder: string, engines: readonly string[]): Promise<Proxy>;
}

// The path from scripts/setup --for bench.
const ENVOY = join(homedir(), '.cache/tandem-bench/envoy-1.40.0/envoy/_bin/envoy');
const START_MS = 20_000;

export const PEERS: readonly Peer[] = [
  {
    name: 'HAProxy',
    start: async (folder, engines) => {
      const [port] = (await freePorts(1)) as [number];
      const config = join(folder, 'haproxy.cfg');
      writeFileSync(config, haproxyConfig(port, engines));
      return launch('HAProxy', port, ['haproxy', '-f', config, '-db'], 'apt-get install -y haproxy');
    },
  },
  {
    name: 'nginx',
    start: async (folder, engines) => {
      const [port] = (await freePorts(1)) as [number];
      const config = join(folder, 'nginx.conf');
      writeFileSync(config, nginxConfig(folder, port, engines));
      const args = ['nginx', '-p', folder, '-c', config, '-e', 'stderr'];
      return launch('nginx', port, args, 'apt-get install -y nginx');
    },
  },
  {
    name: 'Envoy',
    start: async (folder, engines) => {
      const [port] = (await freePorts(1)) as [number];
      const config = join(folder, 'envoy.json');
      writeFileSync(config, JSON.stringify(envoyConfig(port, engines)));
      const args = [ENVOY, '-c', config, '--concurrency', '1', '--log-level', 'error', '--use-dynamic-base-id'];
      return launch('Envoy', port, args, 'scripts/setup --for bench');
    },
  },
  {
    name: 'grpc-js proxy',
    start: async (_folder, engines) => {
      const [port] = (await freePorts(1)) as [number];
      const program = join(import.meta.dirname, 'grpc-js-proxy.ts');
      return launch('grpc-js proxy', port, [process.execPath, program, String(port), ...engines], 'npm ci');
    },
  },
];

async function launch(name: string, port: number, command: string[], install: string): Promise<Proxy> {
  const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-2_000)));
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`${name} ended with ${String(code)}: ${stderr}`);
  });
  const missing = once(child, 'error').then(() => {
    throw new Error(`${name} is missing; install it: ${install}`);
  });
  await Promise.race([failed, missing, untilListening(port)]);
  failed.catch(() => undefined); // it ends when it is stopped
  missing.catch(() => undefined);
  const stop = async (): Promise<void> => {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  return { name, address: `127.0.0.1:${port}`, pid: child.pid!, stop };
}

async function untilListening(port: number): Promise<void> {
  const endMs = performance.now() + START_MS;
  while (performance.now() < endMs) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'close').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (isOpen) return;
    await delay(50);
  }
  throw new Error(`nothing listens on port ${port} after ${START_MS} ms`);
}
