// A user at a shell in a clone, with the machine's own Node.js and none of our variables.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import { until } from '../support/until.ts';

const CTRL_C = '\x03';

export class User {
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(folder: string, programs: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
    this.#folder = folder;
    const ours = /^(?:npm_|NODE_|TANDEM_|OTEL_|JEST_)/;
    const path = process.env['PATH']!.split(':').filter((each) => !each.includes('node_modules'));
    this.#env = {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name))),
      ...{ PATH: [...programs, ...path].join(':'), SHELL: '/bin/bash', TERM: 'xterm', ...env },
    };
    const { NODE_EXTRA_CA_CERTS } = process.env; // the machine's settings, if it is behind a proxy
    if (NODE_EXTRA_CA_CERTS !== undefined) this.#env['NODE_EXTRA_CA_CERTS'] = NODE_EXTRA_CA_CERTS;
  }

  /** Runs a command to its end. If it fails, rejects with its output. */
  async run(command: string): Promise<string> {
    const child = spawn('bash', ['-o', 'pipefail', '-c', command], {
      cwd: this.#folder,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (printed += String(chunk)));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`${command}\nended with ${code}:\n${printed}`);
    return stripVTControlCharacters(printed);
  }

  /** Runs a long command at a separate terminal, so that Ctrl-C is a real one. */
  start(command: string): Terminal {
    return new Terminal(
      spawn('script', ['-qefc', `stty cols 160 rows 50; ${command}`, '/dev/null'], {
        cwd: this.#folder,
        env: this.#env,
        stdio: 'pipe',
      }),
      command,
    );
  }
}

export class Terminal {
  readonly #child: ChildProcess;
  readonly #command: string;
  readonly #ended: Promise<number | null>;
  #hasEnded = false;
  #printed = '';

  constructor(child: ChildProcess, command: string) {
    this.#child = child;
    this.#command = command;
    child.stdout!.on('data', (chunk) => (this.#printed += String(chunk)));
    this.#ended = once(child, 'close').then(([code]) => {
      this.#hasEnded = true;
      return code as number | null;
    });
  }

  get printed(): string {
    return stripVTControlCharacters(this.#printed).replaceAll('\r\n', '\n');
  }

  /** Rejects if the command ends before it has printed that. */
  async prints(pattern: RegExp, timeoutMs: number): Promise<void> {
    await until(() => this.#hasEnded || pattern.test(this.printed), {
      what: `${this.#command}: ${pattern}`,
      timeoutMs,
    });
    if (!pattern.test(this.printed)) throw new Error(`${this.#command} ended without ${pattern}:\n${this.printed}`);
  }

  /** Resolves to the exit code. */
  async ctrlC(): Promise<number | null> {
    this.#child.stdin!.write(CTRL_C);
    return this.#ended;
  }

  /** For the end of a test, which may have failed. */
  async close(): Promise<void> {
    if (this.#hasEnded) return;
    this.#child.stdin!.write(CTRL_C);
    await until(() => this.#hasEnded, { what: `the end of ${this.#command}`, timeoutMs: 60_000 });
  }
}
