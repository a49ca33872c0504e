// The cost of sessions: the time of a message compared with a request without a session, and the memory of open
// sessions.
import { parseArguments } from '../support/arguments.ts';
import type { ReasonRequest } from '../../services/generated/tandem/v1/reasoning.ts';
import { callRouter } from '../support/caller.ts';
import { readHeldout } from '../support/heldout.ts';
import { startRouter } from '../support/router-process.ts';
import { SESSION_MODEL, piece, sessionModels, sessionSeries } from '../support/session-model.ts';
import { startSidecar } from '../support/sidecar.ts';

const HELP = `Measures what sessions cost, with two C++ sidecars; router, caller and engines share this machine:

  - a message of one step of a small network's series in a session, and the same request without a session; the calls take
    turns, one in flight at a time, without the cache
  - the same with the shipped model
  - the router's memory (RSS) with that many open sessions of the shipped model, over that without

Usage: node test/load/session-cost.ts [options]

  --calls N      calls of each kind (default 1000)
  --sessions N   open sessions (default 10000)
  --help         this text

Example: node test/load/session-cost.ts --calls 500
`;

const WARM_UP = 200;
const MB = 2 ** 20;
/** Open calls while sessions are opened. */
const OPENERS = 16;

const { values } = parseArguments({
  options: {
    calls: { type: 'string', default: '1000' },
    sessions: { type: 'string', default: '10000' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) process.stdout.write(HELP);
else await measure(Number(values.calls), Number(values.sessions));

type Tensor = NonNullable<ReasonRequest['tensor']>;

async function measure(calls: number, open: number): Promise<void> {
  const folder = sessionModels();
  const inputs = readHeldout()
    .slice(0, 256)
    .map(({ data }): Tensor => ({ shape: [data.length / 4], dtype: 'FP32', data }));
  const series = sessionSeries(256, 5);
  const steps = Array.from({ length: 256 }, (_, step): Tensor => piece(series, step, 1));
  try {
    const small = await withRouter(folder.path, SESSION_MODEL, (router) => times(router, steps, calls));
    process.stdout.write(`one step of ${SESSION_MODEL}: ${describe(small)}\n`);
    await withRouter('deploy/models', 'supersense', async (router) => {
      process.stdout.write(`one input of supersense: ${describe(await times(router, inputs, calls))}\n`);
      const before = router.rssBytes();
      await openAll(router, inputs, open);
      const grownMb = (router.rssBytes() - before) / MB;
      process.stdout.write(`${open} open sessions of supersense: router + ${grownMb.toFixed(0)} MB\n`);
    });
  } finally {
    folder.remove();
  }
}

interface SentRequest {
  readonly address: string;
  rssBytes(): number;
  reason(request: Partial<ReasonRequest>): Promise<unknown>;
}

async function withRouter<T>(modelsDir: string, model: string, work: (router: SentRequest) => Promise<T>): Promise<T> {
  const engines = await Promise.all([startSidecar(modelsDir), startSidecar(modelsDir)]);
  const router = await startRouter({
    sidecars: engines.map(({ address }, at) => ({ id: `engine-${at + 1}`, address })),
    ...{ models_dir: modelsDir, default_model: model, local: { enabled: false }, sessions: { max: 1_000_000 } },
  });
  const caller = callRouter(router.address);
  try {
    return await work({ ...router, reason: (request) => caller.reason(request) });
  } finally {
    caller.close();
    await router.stop();
    await Promise.all(engines.map((engine) => engine.stop()));
  }
}

interface Times {
  readonly plainMs: number;
  readonly sessionMs: number;
}

/** Medians. */
async function times(router: SentRequest, inputs: readonly Tensor[], calls: number): Promise<Times> {
  const plain: number[] = [];
  const inSession: number[] = [];
  for (let n = 0; n < calls + WARM_UP; n += 1) {
    const tensor = inputs[n % inputs.length]!;
    for (const [session, into] of [
      [undefined, plain],
      [sessionOf('timed'), inSession],
    ] as const) {
      const startedMs = performance.now();
      await router.reason({ tensor, session });
      if (n >= WARM_UP) into.push(performance.now() - startedMs);
    }
  }
  return { plainMs: median(plain), sessionMs: median(inSession) };
}

async function openAll(router: SentRequest, inputs: readonly Tensor[], count: number): Promise<void> {
  let opened = 0;
  const opener = async (): Promise<void> => {
    while (opened < count) {
      const n = opened++;
      await router.reason({ tensor: inputs[n % inputs.length]!, session: sessionOf(`robot-${n}`) });
    }
  };
  await Promise.all(Array.from({ length: OPENERS }, opener));
}

function sessionOf(id: string): NonNullable<ReasonRequest['session']> {
  return { id, state: Buffer.alloc(0), returnState: false, close: false, expectedStep: undefined };
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function describe({ plainMs, sessionMs }: Times): string {
  const ratio = (sessionMs / plainMs).toFixed(2);
  return `p50 ${sessionMs.toFixed(3)} ms in a session, ${plainMs.toFixed(3)} ms without: ${ratio}`;
}
