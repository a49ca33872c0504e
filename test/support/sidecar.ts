// Starts a real C++ sidecar, learns where it listens, and does to it what can happen to a process.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { until } from './until.ts';

const BUILT = fileURLToPath(new URL('../../sidecar-cpp/build/release/tandem-engine', import.meta.url));

/** What `npm start` uses, or what TANDEM_ENGINE_BIN names. */
export function sidecarBinary(): string {
  return process.env['TANDEM_ENGINE_BIN'] ?? BUILT;
}

export interface SidecarOptions {
  /** What to run instead of sidecarBinary(): a program and its first arguments. */
  readonly command?: readonly [string, ...string[]];
  /** Where to listen; a port of the system's choice unless given. */
  readonly listen?: string;
  /** Further arguments. Example: `['--max-queue', '4']`. */
  readonly args?: readonly string[];
  /** Beside our own. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunningSidecar {
  readonly address: string;
  /** Of the process that was started last. */
  readonly pid: number;
  /** SIGKILL. Resolves when it is gone; stop() and restart() may follow. */
  kill(): Promise<void>;
  /** SIGSTOP. Resolves when it stands still: connections stay open, and nobody answers. */
  pause(): Promise<void>;
  /** SIGCONT. */
  resume(): void;
  /** Starts it anew at the same address; kills it first if it still runs. Resolves when it listens. */
  restart(): Promise<void>;
  /** SIGTERM. Resolves when it has finished what was in flight and is gone. */
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
    running.child.kill('SIGCONT'); // a paused process takes no SIGTERM
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

/** A Unix socket that nobody uses, in the form that sidecars and the router's settings take. */
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
