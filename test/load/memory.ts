// The router's memory while it answers many requests of all strategies, with two sidecars and its local engine, as under
// `npm start`. It must not grow after the first of them.
import { ReasonRequest } from '../../services/generated/tandem/v1/reasoning.ts';
import { CacheMode, Strategy } from '../../services/generated/tandem/v1/types.ts';
import { STRATEGIES, type StrategyName } from '../../services/strategies/registry.ts';
import { readHeldout } from '../support/heldout.ts';
import { rssBytes } from '../support/proc.ts';
import { startRouter } from '../support/router-process.ts';
import { startSidecar } from '../support/sidecar.ts';
import { generate } from './path/generator.ts';
import { reasonUncached, type Requests } from './path/requests.ts';

interface MemoryOptions {
  readonly requests: number;
  readonly progress: (text: string) => void;
}

/** The memory of the process after this number of requests. */
interface MemorySample {
  readonly requests: number;
  readonly rssMb: number;
}

const MODELS = new URL('../../deploy/models', import.meta.url).pathname;
const LOOP = { connections: 1, inFlight: 64 };
/** Requests of one strategy before the next one. */
const SECONDS = 2;
const MB = 2 ** 20;
const INPUTS = readHeldout()
  .slice(0, 256)
  .map(({ data }) => data);

export async function benchMemory({ requests, progress }: MemoryOptions): Promise<MemorySample[]> {
  const engines = await Promise.all([startSidecar(MODELS), startSidecar(MODELS)]);
  const router = await startRouter({
    sidecars: engines.map(({ address }, at) => ({ id: `engine-${at + 1}`, address })),
  });
  try {
    const samples: MemorySample[] = [];
    let answered = 0;
    const sample = (): number => {
      const rssMb = rssBytes(router.pid) / MB;
      samples.push({ requests: answered, rssMb });
      return rssMb;
    };
    sample();
    while (answered < requests) {
      for (const name of Object.keys(STRATEGIES) as StrategyName[]) {
        const { calls } = await generate({ ...requestsOf(name), address: router.address }, LOOP, SECONDS);
        answered += calls;
        progress(`memory: ${answered} of ${requests} requests, ${sample().toFixed(0)} MB after ${name}`);
      }
    }
    return samples;
  } finally {
    await router.stop();
    await Promise.all(engines.map((engine) => engine.stop()));
  }
}

function requestsOf(name: StrategyName): Requests {
  const requests = INPUTS.map((data) =>
    ReasonRequest.fromPartial({
      ...{ model: 'supersense', tensor: { shape: [data.length / 4], data } },
      ...{ cache: CacheMode.CACHE_MODE_BYPASS, strategy: Strategy[`STRATEGY_${name}`] },
    }),
  );
  return { ...reasonUncached, requests: requests.map((request) => ReasonRequest.encode(request).finish()) };
}
