// The router, or one engine of three, has no free file descriptor until the connections that used them are closed.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { connectTo } from '../support/connect-to.ts';
import { until } from '../support/until.ts';
import { isIn } from './engine-watch.ts';
import { SOON_ALERTS, judgeLink, playFault } from './fault-play.ts';
import { untilConnected } from './judging.ts';
import { type Scenario, ms, pause, rounded } from './scenario.ts';
import type { Caller, Stage } from './stage.ts';

const IDS = ['engine-1', 'engine-2', 'engine-3'];
const CONNECTIONS = 200;
/** Serving again within: */
const SERVES_MS = 1_000;
/** Descriptors that a full process may still open: fewer than one connection needs. */
const SPARE = 1;

/** Uses up all its descriptors: lowers its limit to the number of open ones, and opens connections that must wait. */
class Exhausted {
  readonly #address: string;
  readonly #pid: number;
  #sockets: Socket[] = [];

  constructor({ address, pid }: { readonly address: string; readonly pid: number }) {
    this.#address = address;
    this.#pid = pid;
  }

  begin(): void {
    const open = readdirSync(`/proc/${this.#pid}/fd`).length;
    execFileSync('prlimit', ['--pid', String(this.#pid), `--nofile=${open + SPARE}:`]);
    this.#sockets = Array.from({ length: CONNECTIONS }, () => {
      return connectTo(this.#address)
        .resume()
        .on('error', () => undefined);
    });
  }

  /** The limit stays; its other descriptors are closed. */
  end(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

const router: Scenario = {
  name: 'descriptors-router',
  fault: `${CONNECTIONS} connections to a router that has no descriptor left`,
  settings: SOON_ALERTS,
  bar: '0 failed over connections that it has; a new one served within 1 s once descriptors are free',
  async run(stage) {
    const truths = await stage.truths();
    const engines = await stage.sidecars(3);
    const running = await stage.router(this.settings, engines);
    await untilConnected(running.operator, IDS);
    const exhausted = new Exhausted(running);
    let served: number | undefined;
    const end = async (): Promise<void> => {
      exhausted.end();
      served = await servedMs(stage, stage.caller(running.address));
    };
    const begin = (): void => exhausted.begin();
    const played = await playFault(stage, { router: running, id: 'engine-1', truths, begin, end });
    return withReturn(judgeLink(played), served);
  },
};

const engine: Scenario = {
  name: 'descriptors-engine',
  fault: `${CONNECTIONS} connections to one engine of three that has no descriptor left, and the router's is lost`,
  settings: SOON_ALERTS,
  bar: '0 failed; the engine is back within 1 s once descriptors are free',
  async run(stage) {
    const truths = await stage.truths();
    const [full, ...others] = await stage.sidecars(3);
    const link = await stage.link(full!);
    const running = await stage.router(this.settings, [link, ...others]);
    await untilConnected(running.operator, IDS);
    const exhausted = new Exhausted(full!);
    const begin = async (): Promise<void> => {
      exhausted.begin();
      await pause(200);
      link.cut();
      await link.restore();
    };
    let served: number | undefined;
    const end = async (): Promise<void> => {
      exhausted.end();
      const endMs = performance.now();
      const back = await until(async () => isIn(await running.operator.engine('engine-1')), {
        what: 'the engine to return',
        timeoutMs: 10_000,
      }).catch(() => false);
      served = back ? performance.now() - endMs : undefined;
    };
    const played = await playFault(stage, { router: running, id: 'engine-1', truths, begin, end });
    return withReturn(judgeLink(played), served);
  },
};

async function servedMs({ inputs: [input] }: Stage, caller: Caller): Promise<number | undefined> {
  const beganMs = performance.now();
  const tensor = { shape: [input!.data.length / 4], dtype: 'FP32', data: input!.data };
  const isServed = async (): Promise<boolean> => {
    await caller.reason({ tensor }, { deadline: Date.now() + 1_000 });
    return true;
  };
  const served = await until(isServed, { what: 'an answer', timeoutMs: 10_000 }).catch(() => false);
  return served ? performance.now() - beganMs : undefined;
}

type Judged = ReturnType<typeof judgeLink>;

function withReturn(outcome: Judged, served: number | undefined): Judged {
  const text = served === undefined ? 'not served within 10 s' : `served ${ms(served)} after descriptors were free`;
  return {
    ...outcome,
    figures: { ...outcome.figures, served_again_ms: served === undefined ? undefined : rounded(served) },
    measured: `${outcome.measured}; ${text}`,
    passed: outcome.passed && served !== undefined,
    missed: [...outcome.missed, ...(served !== undefined && served > SERVES_MS ? [text] : [])],
  };
}

export const descriptorScenarios: readonly Scenario[] = [router, engine];
