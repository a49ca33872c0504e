// A router with fake engines and one small model, and requests for it.
import { FakeEngine, fakeModel, fakePins } from './fake-engine.ts';
import { fakeBreaker, silent } from './fake-parts.ts';
import { RouterError } from '../../services/core/errors.ts';
import type { CallContext } from '../../services/core/inference.ts';
import type { ModelPins } from '../../services/engines/model-pins.ts';
import { EnginePool } from '../../services/engines/pool.ts';
import { ModelRepository, type ModelVersion } from '../../services/models/repository.ts';
import { AnswerCache } from '../../services/cache/answer-cache.ts';
import { voteSchema } from '../../services/config/vote.ts';
import { Admission } from '../../services/routing/admission.ts';
import { type Answer, sizeOf } from '../../services/routing/answer.ts';
import type { SessionOptions } from '../../services/sessions/options.ts';
import type { ReasonQuestion } from '../../services/routing/question.ts';
import { Audit } from '../../services/routing/audit.ts';
import { VersionUse } from '../../services/models/version-use.ts';
import { CpuOverload } from '../../services/routing/cpu-overload.ts';
import { LatencyQuantile } from '../../services/routing/latency-quantile.ts';
import { RetryBudget } from '../../services/routing/retry-budget.ts';
import { SessionStore } from '../../services/sessions/session-store.ts';
import type { RouterOptions } from '../../services/routing/options.ts';
import { Router } from '../../services/routing/router.ts';

export function version(number: number, over: Partial<ModelVersion> = {}): ModelVersion {
  return {
    name: 'm',
    version: number,
    inputKind: 'constant',
    inputShape: [3],
    readout: { from: 'spike_count', labels: ['yes', 'no'], temperature: 1 },
    steps: 16,
    dt: 1e-3,
    vote: undefined,
    golden: [],
    defaults: [],
    heldAs: over.name ?? 'm',
    isUnloaded: false,
    use: new VersionUse(),
    tokenizer: undefined,
    error: '',
    ...over,
  };
}

export const engine = (id: string): FakeEngine => new FakeEngine(id).up(fakeModel());

export interface Built {
  readonly router: Router;
  readonly pool: EnginePool;
}

export function buildWhole(
  engines: FakeEngine[],
  versions = [version(1)],
  over: Partial<RouterOptions> = {},
  ttlMs = 1e6,
  pins: ModelPins = fakePins,
  sessions = new SessionStore(sessionLimits()),
): Built {
  const pool = new EnginePool(pins, fakeBreaker);
  for (const each of engines) pool.add(each);
  const cache = new AnswerCache<Answer>({ maxEntries: 100, maxBytes: 1e6, ttlMs, staleMs: 1e6, sizeOf });
  const router = new Router(new ModelRepository(versions, 'm'), pool, cache, sessions, {
    strategy: 'ROUND_ROBIN',
    localFirstShare: 0.8,
    sidecarFirstShare: 0.8,
    vote: voteSchema.parse({}),
    latencyQuantile: new LatencyQuantile(95),
    audit: new Audit({ rate: 0, observer: silent, onDispute: () => undefined }),
    onDispute: () => undefined,
    admission: new Admission({ maxQueue: 100, maxWaitMs: 1_000 }),
    overload: new CpuOverload(), // not started
    maxInFlight: 100,
    maxAttempts: 3,
    attemptTimeoutMs: 1_000,
    budget: new RetryBudget(100, 20),
    observer: silent,
    ...over,
  });
  return { router, pool };
}

export function build(...args: Parameters<typeof buildWhole>): Router {
  return buildWhole(...args).router;
}

export function question(over: Partial<ReasonQuestion> = {}): ReasonQuestion {
  const data = Buffer.from(new Float32Array([1, 2, 3]).buffer);
  return {
    model: '',
    modelVersion: 0,
    input: { field: 'encoding', shape: [3], dtype: 'FP32', data },
    strategy: undefined,
    cache: 'BYPASS',
    vote: undefined,
    ...over,
  };
}

export function context(): CallContext & { controller: AbortController } {
  const controller = new AbortController();
  return { deadlineMs: Infinity, signal: controller.signal, controller };
}

/** With high limits, except for `over`. */
export function sessionLimits(over: Partial<SessionOptions> = {}): SessionOptions {
  const most = { max: 100, maxPerCaller: 100, maxBytes: 1e6, maxWaiting: 10, maxWaitingInAll: 100 };
  return { ...most, idleMs: 60_000, snapshotBytes: 65_536, snapshotSteps: 64, ...over };
}

export const draining = (): Promise<never> => Promise.reject(new RouterError('DRAINING', 'stopping'));
export const lost = (): Promise<never> => Promise.reject(new RouterError('ENGINE_LOST', 'gone'));

export async function kindOf(answer: Promise<unknown>): Promise<string> {
  return await answer.then(
    () => 'answered',
    (error: unknown) => (error as RouterError).kind,
  );
}
