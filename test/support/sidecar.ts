// Starts a real C++ sidecar, reads its address, and can kill, stop or restart it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { until } from './until.ts';

const BUILT = fileURLToPath(new URL('../../sidecar-cpp/build/release/tandem-engine', import.meta.url));

/** The engine of `npm start`, or of TANDEM_ENGINE_BIN. */
export function sidecarBinary(): string {
  return process.env['TANDEM_ENGINE_BIN'] ?? BUILT;
}

export interface SidecarOptions {
  /** A program and its first arguments, instead of sidecarBinary(). */
  readonly command?: readonly [string, ...string[]];
  /** The address to listen on; by default a port that the system chooses. */
  readonly listen?: string;
  /** Further arguments. Example: `['--max-queue', '4']`. */
  readonly args?: readonly string[];
  /** In addition to ours. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunningSidecar {
  readonly address: string;
  /** Process id of the last start. */
  readonly pid: number;
  /** SIGKILL. Resolves when it has ended; stop() and restart() may follow. */
  kill(): Promise<void>;
  /** SIGSTOP. Resolves when it is stopped: connections stay open without answers. */
  pause(): Promise<void>;
  /** SIGCONT. */
  resume(): void;
  /** Restarts it at the same address; kills it first if it still runs. Resolves when it listens. */
  restart(): Promise<void>;
  /** SIGTERM. Resolves when it has finished its open requests and ended. */
  stop(): Promise<void>;
}

export async function startSidecar(modelsDir: string, options: SidecarOptions = {}): Promise<RunningSidecar> {
  const { command, listen = '127.0.0.1:0', args = [], env = {} } = options;
  const start = (listen: string): Promise<Running> =>
    launch([...(command ?? ([sidecarBinary()] as const)), '--models', modelsDir, '--listen', listen, ...args], env);
  let running = await start(listen);
  const { address } = running;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    running.child.kill(signal);
    running.child.kill('SIGCONT'); // a paused process does not handle SIGTERM
    await running.exited;
  };
  return {
    address,
    get pid() {
      return running.child.pid!;
    },
    kill: () => end('SIGKILL'),
    pause: async () => {
      running.child.kill('SIGSTOP');
      await until(() => stateOf(running.child.pid!) === 'T', { what: 'the sidecar to stand still' });
    },
    resume: () => void running.child.kill('SIGCONT'),
    restart: async () => {
      await end('SIGKILL');
      running = await start(address);
    },
    stop: () => end('SIGTERM'),
  };
}

/** A new Unix socket address, in the form for sidecars and the router's settings. */
export function unusedSocket(): string {
  return `unix:${join(mkdtempSync(join(tmpdir(), 'tandem-socket-')), 'engine.sock')}`;
}

interface Running {
  readonly child: ChildProcess;
  readonly address: string;
  readonly exited: Promise<unknown>;
}

async function launch([file, ...args]: [string, ...string[]], env: Readonly<Record<string, string>>): Promise<Running> {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const stderr: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const exited = once(child, 'exit');
  const address = await new Promise<string>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`${file} ended with ${code}: ${Buffer.concat(stderr).toString()}`)));
    createInterface({ input: child.stdout }).once('line', (line) => {
      const { address } = JSON.parse(line) as { address: string };
      resolve(address);
    });
  });
  return { child, address, exited };
}

/** One letter, see proc(5); it follows the name, which ends with the last parenthesis. */
function stateOf(pid: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat[stat.lastIndexOf(')') + 2];
}
