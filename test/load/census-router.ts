// A complete router without connections: two engines that answer in the next turn of the event loop replace sidecars.
import { reasoningMethods } from '../../services/api/reasoning.ts';
import { OpenCalls } from '../../services/api/open-calls.ts';
import { AnswerCache } from '../../services/cache/answer-cache.ts';
import {
  admissionOptions,
  breakerOptions,
  cacheOptions,
  liveApiOptions,
  routerOptions,
} from '../../services/composition/options.ts';
import { loadSettings } from '../../services/config/load.ts';
import type { ModelPins } from '../../services/engines/model-pins.ts';
import { EnginePool } from '../../services/engines/pool.ts';
import { CacheMode } from '../../services/generated/tandem/v1/types.ts';
import { ReasonRequest } from '../../services/generated/tandem/v1/reasoning.ts';
import { ReasonBatchRequestWire } from '../../services/generated/tandem/wire/v1/wire.ts';
import type { Method, OneRequestMethod } from '../../services/grpc/method.ts';
import { ModelRepository } from '../../services/models/repository.ts';
import { Admission } from '../../services/routing/admission.ts';
import type { Answer } from '../../services/routing/answer.ts';
import { Audit } from '../../services/routing/audit.ts';
import { CpuOverload } from '../../services/routing/cpu-overload.ts';
import { LatencyQuantile } from '../../services/routing/latency-quantile.ts';
import { RetryBudget } from '../../services/routing/retry-budget.ts';
import { Router } from '../../services/routing/router.ts';
import { Metrics } from '../../services/telemetry/metrics.ts';
import { Tracing } from '../../services/telemetry/tracing.ts';
import { FakeCall } from '../fakes/fake-call.ts';
import { fakeModel, fakePinsOf } from '../fakes/fake-engine.ts';
import { version } from '../fakes/router-parts.ts';
import { sessionOptions } from '../../services/composition/sessions.ts';
import { SessionStore } from '../../services/sessions/session-store.ts';
import { TurnEngine } from './turn-engine.ts';

/** Like the shipped model. */
const SIZES = { inputSize: 768, outputSize: 48, steps: 32 } as const;
const INPUTS = 500;

interface CensusRouter {
  /** One Reason, from the request's bytes to the answer's. */
  readonly call: () => Promise<void>;
  /** One ReasonBatch of so many. */
  readonly batch: (items: number) => Promise<void>;
  readonly stop: () => void;
}

export function startCensusRouter({ isTraced, isCached }: { isTraced: boolean; isCached: boolean }): CensusRouter {
  const settings = loadSettings({ env: {} });
  const metrics = new Metrics();
  const admission = new Admission(admissionOptions(settings));
  const pool = new EnginePool(pinned(), breakerOptions(settings), { roomFreed: () => admission.serve() });
  for (const id of ['a', 'b']) pool.add(new TurnEngine(id, fakeModel(SIZES), SIZES));
  pool.settle();
  const labels = Array.from({ length: SIZES.outputSize }, (_, k) => `sense.${k}`);
  const model = version(1, { inputShape: [SIZES.inputSize], readout: { from: 'spike_count', labels, temperature: 1 } });
  const onDispute = (): void => undefined;
  const router = new Router(
    new ModelRepository([model], 'm'),
    pool,
    new AnswerCache<Answer>(cacheOptions(settings)),
    new SessionStore(sessionOptions(settings)),
    {
      ...routerOptions(settings),
      strategy: settings.strategy,
      latencyQuantile: new LatencyQuantile(settings.hedged.percentile),
      audit: new Audit({ rate: 0, observer: metrics, onDispute }),
      admission,
      overload: new CpuOverload(),
      budget: new RetryBudget(settings.max_in_flight, settings.retry.budget_percent),
      onDispute,
      observer: metrics,
    },
  );
  const tracing = new Tracing({
    enabled: isTraced,
    sampler: { isParentBased: true, ratio: settings.tracing.ratio },
    ...{ slowMs: settings.tracing.slow_ms, withLayers: false, source: { service: 'census', instance: '' } },
    onKept: () => undefined,
  });
  const options = {
    ...liveApiOptions(settings),
    ...{ observer: metrics, calls: new OpenCalls(), tracing, drained: new AbortController().signal },
    onInternalError: (_path: string, error: unknown) => {
      throw error as Error;
    },
  };
  const methods = reasoningMethods(router, options);
  const requests = encodedRequests(isCached);
  let next = 0;
  const request = (): Buffer => requests[next++ % requests.length]!;
  return {
    call: () => answered(methods, 'Reason', request()),
    batch: (items) => {
      const batch = ReasonBatchRequestWire.encode({ requests: Array.from({ length: items }, request) });
      return answered(methods, 'ReasonBatch', Buffer.from(batch.finish()));
    },
    stop: () => pool.engines.forEach(({ breaker }) => breaker.stop()),
  };
}

/** Rejects if the call fails. */
function answered(methods: readonly Method[], name: string, request: Buffer): Promise<void> {
  const method = methods.find(({ path }) => path.endsWith(`/${name}`)) as OneRequestMethod<unknown, unknown>;
  return new Promise((resolve, reject) => {
    const call: FakeCall<unknown> = new FakeCall((end) => {
      if (end !== undefined) reject(new Error(end.message));
      else {
        method.encode(call.answers[0]);
        resolve();
      }
    });
    method.handle(call, method.decode(request));
  });
}

/** One object, as in the repository. */
function pinned(): ModelPins {
  const model = fakePinsOf(SIZES).find('m', 1);
  return { find: () => model };
}

function encodedRequests(isCached: boolean): readonly Buffer[] {
  return Array.from({ length: INPUTS }, (_, n) => {
    const encoding = Array.from({ length: SIZES.inputSize }, (_each, k) => Math.sin(n * SIZES.inputSize + k));
    const cache = isCached ? CacheMode.CACHE_MODE_UNSPECIFIED : CacheMode.CACHE_MODE_BYPASS;
    return Buffer.from(
      ReasonRequest.encode(ReasonRequest.fromPartial({ encoding, cache, requestId: `r${n}` })).finish(),
    );
  });
}
