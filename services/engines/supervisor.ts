// Keeps C++ sidecars running on this machine: starts them, restarts one that dies, stops them with the router.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const RESTART_MIN_MS = 100;
const RESTART_MAX_MS = 5_000;
/** A sidecar that ran this long was healthy: its next restart is fast again. */
const HEALTHY_MS = 10_000;
/** The last line that a sidecar that cannot start writes to standard error. */
const LAST_WORDS = /^tandem-engine: (.*)/;
const MAX_LAST_WORDS = 500;

export interface SupervisedSidecar {
  readonly id: string;
  /** Its listening address, as the sidecar writes it. */
  readonly address: string;
  readonly binary: string;
  readonly args: readonly string[];
  /** Undefined: the router's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface SupervisorEvents {
  /** A line the sidecar wrote, without its line end. */
  line(id: string, line: string): void;
  started(id: string, pid: number): void;
  exited(id: string, why: string, restartInMs: number): void;
}

/** Undefined, despite the types, if the process could not be started for lack of file descriptors; 'error' follows. */
function hasPipes({ stdout }: { readonly stdout: unknown }): boolean {
  return stdout !== undefined;
}

export class Supervisor {
  readonly #sidecar: SupervisedSidecar;
  readonly #events: SupervisorEvents;
  #child: ChildProcess | undefined;
  #restart: NodeJS.Timeout | undefined;
  #restartMs = RESTART_MIN_MS;
  #stopping = false;
  #isListening = false;
  #why = 'its process has not started';
  #lastWords = '';

  constructor(sidecar: SupervisedSidecar, events: SupervisorEvents) {
    this.#sidecar = sidecar;
    this.#events = events;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Why its process does not listen at `address`; empty: it does. While it does not, another process may listen there.
   */
  get whyAway(): string {
    if (this.#isListening) return '';
    return this.#lastWords === '' ? this.#why : `${this.#why}: ${this.#lastWords}`;
  }

  /** Resolves when the sidecar reports that it is ready, or has exited. */
  start(): Promise<void> {
    const { id, address, binary, args, env } = this.#sidecar;
    const startedAt = performance.now();
    const child = spawn(binary, ['--id', id, '--listen', address, `--exit-with-parent=${process.pid}`, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(env && { env }),
      detached: true, // Ctrl-C must reach only the router: it drains first and then stops its sidecars
    });
    this.#child = child;
    if (child.pid !== undefined) this.#events.started(id, child.pid);
    return new Promise((resolve) => {
      if (hasPipes(child)) {
        createInterface({ input: child.stderr }).on('line', (line) => {
          this.#lastWords = LAST_WORDS.exec(line)?.[1]?.slice(0, MAX_LAST_WORDS) ?? this.#lastWords;
          this.#events.line(id, line);
        });
        createInterface({ input: child.stdout }).on('line', () => {
          if (this.#child === child) this.#isListening = true;
          this.#lastWords = '';
          resolve();
        });
      }
      const ended = (why: string): void => {
        if (this.#child !== child) return;
        this.#child = undefined;
        this.#isListening = false;
        this.#why = `its process has ended: ${why}`;
        resolve();
        if (this.#stopping) return;
        if (performance.now() - startedAt > HEALTHY_MS) this.#restartMs = RESTART_MIN_MS;
        this.#events.exited(id, why, this.#restartMs);
        this.#restart = setTimeout(() => void this.start(), this.#restartMs);
        this.#restartMs = Math.min(this.#restartMs * 2, RESTART_MAX_MS);
      };
      child.on('error', (error) => ended(error.message));
      child.on('exit', (code, signal) => ended(signal ? `signal ${signal}` : `exit code ${code}`));
    });
  }

  /** SIGTERM, then SIGKILL after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child?.pid === undefined) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await exited;
    clearTimeout(kill);
  }
}
