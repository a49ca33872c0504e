// The environment of a scenario: real sidecars, faulty ones, bad links, and a router as a separate process. All of it
// is removed at the end of the scenario.
import type { ServiceError } from '@grpc/grpc-js';
import { CorruptingLink, type CorruptionOptions } from '../fakes/corrupting-link.ts';
import { LyingEngine } from '../fakes/lying-engine.ts';
import { SlowLink } from '../fakes/slow-link.ts';
import { callRouter } from '../support/caller.ts';
import { type HeldoutItem, readHeldout } from '../support/heldout.ts';
import { closedLoad, paceLoad } from '../support/load.ts';
import { Operator } from '../support/operator.ts';
import { type RouterProcess, startRouter } from '../support/router-process.ts';
import { type RunningSidecar, type SidecarOptions, startSidecar } from '../support/sidecar.ts';
import type { System } from '../support/system.ts';
import { answerKey } from '../support/answer-key.ts';
import { SUPERSENSE } from '../support/models.ts';

export type Caller = Pick<System, 'reason'>;

export interface Options {
  /** --count: how many requests; the scenario's own number, or as many as fit, where it is undefined. */
  readonly count: number | undefined;
  /** --seconds. */
  readonly seconds: number | undefined;
  /** --rate: requests a second at most. */
  readonly rate: number;
  readonly progress: (text: string) => void;
}

export interface Router extends RouterProcess, Caller {
  readonly operator: Operator;
}

interface FaultOptions {
  readonly count?: number;
  readonly seed?: number;
  /** Until switchFaults. */
  readonly waits?: boolean;
  /** Gets a line of JSON for each one-shot fault. */
  readonly log?: string;
}

/** Switches the faults on or off. */
export function switchFaults({ pid }: RunningSidecar): void {
  process.kill(pid, 'SIGHUP');
}

/** From this p99 on, a rate is more than the machine sustains, since a queue grows. */
const SUSTAINED_P99_MS = 30;
const CALIBRATION_S = 2;

export class Stage {
  readonly inputs: HeldoutItem[] = readHeldout();
  readonly options: Options;
  readonly #ends: (() => unknown)[] = [];

  constructor(options: Options) {
    this.options = options;
  }

  progress(text: string): void {
    this.options.progress(text);
  }

  /** Everything that a scenario has started. */
  onEnd(end: () => unknown): void {
    this.#ends.push(end);
  }

  async sidecars(count: number, modelsDir = SUPERSENSE, options: SidecarOptions = {}): Promise<RunningSidecar[]> {
    const sidecars = await Promise.all(Array.from({ length: count }, () => startSidecar(modelsDir, options)));
    for (const sidecar of sidecars) this.#ends.push(() => sidecar.kill());
    return sidecars;
  }

  /** Sidecars with faults of sidecar-cpp/faults (tandem-engine-faulty --help). Equal seeds give equal lies. */
  async faulty(
    fault: string,
    { count = 1, seed = 1, waits = false, log }: FaultOptions = {},
  ): Promise<RunningSidecar[]> {
    const args = ['--fault', fault, '--fault-seed', String(seed), ...(waits ? ['--faults-wait'] : [])];
    if (log !== undefined) args.push('--fault-log', log);
    return await this.sidecars(count, SUPERSENSE, { args });
  }

  async link({ address }: { readonly address: string }): Promise<SlowLink> {
    const link = await new SlowLink(address).start();
    this.#ends.push(() => link.cut());
    return link;
  }

  /** Between the router and the engine: so many chunks, as a share, have bits flipped. */
  async corruptingLink({ address }: { readonly address: string }, options: CorruptionOptions): Promise<CorruptingLink> {
    const link = await new CorruptingLink(address, options).start();
    this.#ends.push(() => link.stop());
    return link;
  }

  /** An engine whose `tamper` changes the results of a real one. */
  async programmable({ address }: { readonly address: string }): Promise<LyingEngine> {
    const engine = await new LyingEngine(address).start();
    this.#ends.push(() => engine.stop());
    return engine;
  }

  /** Engines are named engine-1, engine-2 … in the order given. The router's own engine is off unless `settings` say so. */
  async router(
    settings: Record<string, unknown>,
    engines: readonly { readonly address: string }[],
    env: Record<string, string> = {},
  ): Promise<Router> {
    const sidecars = engines.map(({ address }, at) => ({ id: `engine-${at + 1}`, address }));
    const process = await startRouter({ local: { enabled: false }, sidecars, ...settings }, env);
    const operator = new Operator(process.adminAddress);
    this.#ends.push(() => operator.close());
    this.#ends.push(() => process.kill());
    return { ...process, operator, ...this.caller(process.address) };
  }

  /** With separate connections. */
  caller(address: string, seen?: (error: ServiceError) => void): Caller {
    const caller = callRouter(address, seen);
    this.#ends.push(() => caller.close());
    return caller;
  }

  /** The full answer to each input, from the router's own engine, which has no faults. */
  async truths(modelsDir = SUPERSENSE): Promise<string[]> {
    const router = await this.router({ local: { enabled: true }, models_dir: modelsDir }, []);
    const { inputs } = this;
    const truths = new Map<number, string>();
    // A busy machine may refuse some of them.
    while (truths.size < inputs.length) {
      const { requests } = await closedLoad({ system: router, inputs, total: inputs.length, inFlight: 2 }).finished;
      for (const { input, response } of requests) if (response !== undefined) truths.set(input, answerKey(response));
    }
    await router.stop();
    return inputs.map((_, index) => truths.get(index)!);
  }

  /** The highest of 1,000, 800, 600 … requests a second (or of shares of --rate) that keeps up for two seconds. */
  async sustainedRate(router: Caller): Promise<number> {
    const { inputs } = this;
    const warm = paceLoad({ system: router, inputs, ratePerS: this.options.rate / 2, total: this.options.rate });
    await warm.finished;
    for (const share of [1, 0.8, 0.6, 0.4, 0.3, 0.2]) {
      const ratePerS = Math.round(this.options.rate * share);
      const load = paceLoad({ system: router, inputs, ratePerS, total: ratePerS * CALIBRATION_S });
      const result = await load.finished;
      const p99Ms = result.percentileMs(99);
      this.progress(`${ratePerS}/s without faults: p99 ${p99Ms.toFixed(1)} ms`);
      if (p99Ms <= SUSTAINED_P99_MS && result.failed.length === 0) return ratePerS;
    }
    return Math.round(this.options.rate * 0.1);
  }

  async end(): Promise<void> {
    for (const end of this.#ends.reverse()) await end();
  }
}
