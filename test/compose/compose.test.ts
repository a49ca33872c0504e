// docker-compose.yml on a real Docker Engine: real containers that are killed, disconnected, scaled and restarted under
// load. All tests share one deployment, and each restores it.
import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { EngineState } from '../../services/generated/tandem/v1/engines.ts';
import { EngineKind, Grade, Strategy } from '../../services/generated/tandem/v1/types.ts';
import { type Caller, callRouter } from '../support/caller.ts';
import { readHeldout } from '../support/heldout.ts';
import { type LoadResult, closedLoad, paceLoad } from '../support/load.ts';
import { ModelFolder } from '../support/model-folder.ts';
import { dims } from '../support/nir-writer.ts';
import { Operator } from '../support/operator.ts';
import { until } from '../support/until.ts';
import { Deployment, docker } from './deployment.ts';

jest.setTimeout(180_000); // containers start and stop in seconds, and some tests do that with a dozen

const ROOT = join(import.meta.dirname, '../..');
const SETTINGS = join(ROOT, 'deploy/settings/router.yaml');
/** The clients, Docker's proxy, the router and its engines share this machine. */
const RATE_PER_S = 150;
/** Long, since a busy machine is slow but not wrong. */
const DEADLINE_MS = 20_000;
/** On an idle machine it is 10 s at most; the time is printed. */
const FIRST_ANSWER_MS = 60_000;
const NOTICED_MS = 5_000;
const MIB = 1_048_576;
/** One input of the model "wide" is 3 MB. */
const WIDE = 768;
const WIDE_STEPS = 1_024;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The shipped model, and one with inputs of the largest message. */
function modelFolder(): ModelFolder {
  const folder = new ModelFolder();
  cpSync(join(ROOT, 'deploy/models'), folder.path, { recursive: true });
  const shape = dims(WIDE);
  const graph = {
    type: 'NIRGraph' as const,
    nodes: {
      input: { type: 'Input', fields: { shape } },
      fire: { type: 'LIF', fields: { tau: 1e-2, r: 1, v_leak: 0, v_threshold: 1 } },
      output: { type: 'Output', fields: { shape } },
    },
    edges: [
      ['input', 'fire'],
      ['fire', 'output'],
    ] as [string, string][],
  };
  folder.add('wide', 1, graph, `input: {shape: [${WIDE}], kind: series}\n`);
  execFileSync('chmod', ['-R', 'a+rX', folder.path]); // the containers run as another user
  return folder;
}

const models = modelFolder();
const deployment = new Deployment({ TANDEM_MODELS: models.path });
const inputs = readHeldout();
let caller: Caller;
let operator: Operator;

async function connect(): Promise<void> {
  const address = await deployment.address('router', 50051);
  caller = callRouter(address);
  operator = new Operator(address);
}

function disconnect(): void {
  caller.close();
  operator.close();
}

/** Waits until the router has exactly this number of working sidecars. */
async function sidecars(count: number, timeoutMs = 30_000): Promise<void> {
  await until(
    async () => {
      const all = (await operator.engines()).filter(({ kind }) => kind === EngineKind.ENGINE_KIND_SIDECAR);
      return all.length === count && all.every(({ state }) => state === EngineState.ENGINE_STATE_READY);
    },
    { what: `${count} ready sidecars`, timeoutMs },
  );
}

/** The result of a steady load during `harm`. */
async function underLoad(harm: () => Promise<unknown>): Promise<LoadResult> {
  const load = paceLoad({ system: caller, inputs, ratePerS: RATE_PER_S, deadlineMs: DEADLINE_MS });
  try {
    await pause(1_000);
    await harm();
    await pause(1_000);
  } finally {
    await load.stop();
  }
  const result = await load.finished;
  process.stderr.write(
    `  ${expect.getState().currentTestName}: ${result.failed.length} of ${result.requests.length} failed, ` +
      `p50 ${result.percentileMs(50).toFixed(1)} ms, p99 ${result.percentileMs(99).toFixed(1)} ms\n`,
  );
  return result;
}

const failures = ({ failed }: LoadResult): string[] => failed.map(({ outcome, code }) => `${code} ${outcome}`);

const processStatus = async (container: string): Promise<Record<string, string>> => {
  const text = await docker('exec', container, 'cat', '/proc/1/status');
  return Object.fromEntries(text.split('\n').map((line) => line.split(/:\s+/) as [string, string]));
};

let firstAnswerMs = Infinity;

beforeAll(async () => {
  const beganMs = performance.now();
  await deployment.compose('up', '-d', '--no-build');
  await connect();
  const answer = (): Promise<unknown> => caller.reason({ encoding: Array<number>(768).fill(0.03) });
  await until(answer, { what: 'the first answer', timeoutMs: 60_000 });
  firstAnswerMs = performance.now() - beganMs;
  process.stderr.write(`  first answer ${(firstAnswerMs / 1_000).toFixed(1)} s after docker-compose up\n`);
  await sidecars(3);
});

afterAll(async () => {
  disconnect();
  await deployment.down();
  models.remove();
});

describe('docker-compose up', () => {
  it('answers soon', () => {
    expect(firstAnswerMs).toBeLessThan(FIRST_ANSWER_MS);
  });

  it('is healthy by the containers’ own checks', async () => {
    await deployment.healthy('router', 1);
    await deployment.healthy('engine', 3);
  });

  it('agrees over containers: a vote of three is unanimous', async () => {
    const { grade, vote } = await caller.reason({
      encoding: Array<number>(768).fill(0.03),
      strategy: Strategy.STRATEGY_REDUNDANT,
    });
    expect(grade).toBe(Grade.GRADE_UNANIMOUS);
    expect(vote?.ballots).toHaveLength(3);
  });

  it.each(['router', 'engine'] as const)(
    'gives the %s no root, no capability and no writable root',
    async (service) => {
      for (const container of await deployment.containers(service)) {
        const status = await processStatus(container);
        expect(status['Uid']).toBe('10001\t10001\t10001\t10001');
        for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) expect(status[set]).toMatch(/^0+$/);
        expect(status['NoNewPrivs']).toBe('1');
        await expect(docker('exec', '-u', '0', container, 'touch', '/written')).rejects.toThrow(
          'Read-only file system',
        );
      }
    },
  );

  it('allows no connection out of the engines’ network, and into it only through the router', async () => {
    const [container = ''] = await deployment.containers('engine');
    const { NetworkSettings } = await deployment.inspect(container);
    expect(Object.keys(NetworkSettings.Networks)).toEqual([`${deployment.project}_engines`]);
    expect(await docker('network', 'inspect', '-f', '{{.Internal}}', `${deployment.project}_engines`)).toBe('true');
    expect(await docker('port', container)).toBe('');
  });

  it.each([
    ['tandem-engine:0.1.0', 'debian:bookworm-slim', 120],
    ['tandem-router:0.1.0', 'node:24-bookworm-slim', 150],
  ])('%s is at most %s and %d MiB', async (image, base, limit) => {
    const sizeOf = async (name: string): Promise<number> =>
      Number(await docker('image', 'inspect', '-f', '{{.Size}}', name));
    const own = (await sizeOf(image)) - (await sizeOf(base));
    process.stderr.write(`  ${image}: ${(own / MIB).toFixed(1)} MiB over ${base}\n`);
    expect(own).toBeLessThan(limit * MIB);
  });

  it('labels its images with OCI’s keys', async () => {
    for (const image of ['tandem-engine:0.1.0', 'tandem-router:0.1.0']) {
      const labels = JSON.parse(await docker('image', 'inspect', '-f', '{{json .Config.Labels}}', image)) as object;
      expect(labels).toMatchObject({
        'org.opencontainers.image.version': '0.1.0',
        'org.opencontainers.image.licenses': 'Apache-2.0',
      });
    }
  });

  it('shows a vote in the tracing UI, down to each engine’s own computing', async () => {
    const { traceId } = await caller.reason({
      ...{ encoding: Array<number>(768).fill(0.02) },
      strategy: Strategy.STRATEGY_REDUNDANT,
    });
    const url = `http://${await deployment.address('jaeger', 16686)}/api/traces/${traceId}`;
    interface Shown {
      readonly data: {
        readonly spans: { readonly operationName: string; readonly processID: string }[];
        readonly processes: Record<string, { readonly serviceName: string }>;
      }[];
    }
    const engines = await until(
      async () => {
        const { data } = (await (await fetch(url)).json()) as Shown;
        const { spans = [], processes = {} } = data[0] ?? {};
        const found = spans.filter(({ processID }) => processes[processID]?.serviceName === 'tandem-engine');
        return new Set(found.map(({ processID }) => processID)).size >= 2 ? found : undefined;
      },
      { what: 'spans of two engines at least', timeoutMs: 30_000 },
    );
    expect(engines!.map(({ operationName }) => operationName)).toContain('compute');
  });
});

describe('under load, nothing fails', () => {
  it('when an engine’s process is killed, and Docker restarts it', async () => {
    const [container = ''] = await deployment.containers('engine');
    const { State, RestartCount } = await deployment.inspect(container);
    const result = await underLoad(async () => {
      process.kill(State.Pid, 'SIGKILL');
      await until(async () => (await deployment.inspect(container)).RestartCount > RestartCount, {
        what: 'a restart',
        timeoutMs: 30_000,
      });
      await sidecars(3);
    });
    expect(failures(result)).toEqual([]);
  });

  it('when an engine’s container is killed and stays stopped', async () => {
    const [container = ''] = await deployment.containers('engine');
    const result = await underLoad(async () => {
      await docker('kill', container);
      await sidecars(2);
      await docker('start', container);
      await sidecars(3);
    });
    expect(failures(result)).toEqual([]);
  });

  it('when an engine is cut off from the network, and joins again', async () => {
    const [container = ''] = await deployment.containers('engine');
    const network = `${deployment.project}_engines`;
    const result = await underLoad(async () => {
      await docker('network', 'disconnect', network, container);
      await sidecars(2);
      await docker('network', 'connect', '--alias', 'engine', network, container);
      await sidecars(3);
    });
    expect(failures(result)).toEqual([]);
  });

  it('when the engines are scaled from three to five and down to two, which the router notices in five seconds', async () => {
    const scale = (count: number): Promise<string> =>
      deployment.compose('up', '-d', '--no-build', '--no-recreate', '--scale', `engine=${count}`);
    const result = await underLoad(async () => {
      await scale(5);
      await sidecars(5, NOTICED_MS);
      await scale(2);
      await sidecars(2, NOTICED_MS);
    });
    await scale(3);
    await sidecars(3);
    expect(failures(result)).toEqual([]);
  });

  it('when every engine is restarted in turn', async () => {
    const result = await underLoad(async () => {
      for (const container of await deployment.containers('engine')) {
        await docker('restart', container);
        await sidecars(3);
      }
    });
    expect(failures(result)).toEqual([]);
  });

  it('when an engine exceeds its memory limit and is restarted', async () => {
    const [container = ''] = await deployment.containers('engine');
    const { RestartCount } = await deployment.inspect(container);
    const restarted = async (): Promise<boolean> => (await deployment.inspect(container)).RestartCount > RestartCount;
    const long = [{ data: Buffer.alloc(WIDE_STEPS * WIDE * 4) }];
    const request = { model: 'wide', tensor: { shape: [WIDE_STEPS, WIDE], dtype: 'FP32', data: long[0]!.data } };
    const other = callRouter(await deployment.address('router', 50051));
    let large: LoadResult | undefined;
    const result = await underLoad(async () => {
      await docker('update', '--memory', '12m', '--memory-swap', '12m', container);
      const load = closedLoad({ system: other, inputs: long, request, total: Infinity, inFlight: 12 });
      try {
        await until(restarted, { what: 'a restart', timeoutMs: 30_000 });
      } finally {
        large = await load.stop();
        await docker('update', '--memory', '512m', '--memory-swap', '512m', container);
      }
      await sidecars(3, 60_000);
    });
    other.close();
    expect(failures(large!)).toEqual([]);
    expect(failures(result)).toEqual([]);
  });
});

describe('the router', () => {
  it('applies changed settings on SIGHUP', async () => {
    const before = await readFile(SETTINGS, 'utf8');
    try {
      await appendFile(SETTINGS, 'strategy: FASTEST\n');
      await deployment.compose('kill', '-s', 'HUP', 'router');
      await until(async () => (await operator.strategy()) === Strategy.STRATEGY_FASTEST, {
        what: 'the strategy FASTEST',
      });
    } finally {
      await writeFile(SETTINGS, before);
    }
    await deployment.compose('kill', '-s', 'HUP', 'router');
    await until(async () => (await operator.strategy()) === Strategy.STRATEGY_ROUND_ROBIN, {
      what: 'the strategy before',
    });
  });

  it('can be operated by its command line inside the container', async () => {
    const [container = ''] = await deployment.containers('router');
    const listed = JSON.parse(await docker('exec', container, 'tandem', 'engines', '--json')) as { engines: unknown[] };
    expect(listed.engines).toHaveLength(4);
  });

  it('finishes open requests when it is stopped, and exits 0 within its grace period', async () => {
    const [container = ''] = await deployment.containers('router');
    const load = paceLoad({ system: caller, inputs, ratePerS: RATE_PER_S, deadlineMs: DEADLINE_MS });
    await pause(1_000);
    const signalMs = performance.now();
    await deployment.compose('stop', 'router');
    const exitMs = performance.now() - signalMs;
    const { requests } = await load.stop();
    const sent = requests.filter(({ startMs }) => startMs <= signalMs);
    process.stderr.write(`  the router exited after ${exitMs.toFixed(0)} ms; ${sent.length} sent before\n`);
    expect(sent.filter(({ outcome }) => outcome !== 'OK')).toEqual([]);
    expect(new Set(requests.map(({ code }) => code))).toEqual(new Set(['OK', 'UNAVAILABLE']));
    expect((await deployment.inspect(container)).State).toMatchObject({ Status: 'exited', ExitCode: 0 });

    await deployment.compose('start', 'router');
    disconnect();
    await connect();
    await sidecars(3, 60_000);
  });

  it('still has its counts after that', async () => {
    const reason = await operator.requests('Reason');
    expect(Number(reason?.count)).toBeGreaterThan(RATE_PER_S);
  });
});

describe('docker-compose --profile metrics up', () => {
  it('starts a Prometheus that scrapes the router, with the alert rules', async () => {
    await deployment.compose('--profile', 'metrics', 'up', '-d', '--no-build', '--no-recreate', 'prometheus');
    const base = `http://${await deployment.address('prometheus', 9090)}/api/v1`;
    const get = async (path: string): Promise<unknown> =>
      ((await (await fetch(`${base}${path}`)).json()) as { data: unknown }).data;
    await until(
      async () => {
        const { result } = (await get('/query?query=up{job="tandem-router"}')) as {
          result: { value: [number, string] }[];
        };
        return result[0]?.value[1] === '1';
      },
      { what: 'a scrape of the router', timeoutMs: 60_000 },
    );
    const { groups } = (await get('/rules')) as { groups: { rules: { name: string }[] }[] };
    expect(groups.flatMap(({ rules }) => rules.map(({ name }) => name))).toContain('TandemErrorRatioHigh');
  });
});

describe('docker-compose down -v', () => {
  it('leaves nothing', async () => {
    await deployment.down();
    expect(await deployment.remains()).toEqual([]);
  });
});
