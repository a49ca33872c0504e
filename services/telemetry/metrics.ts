// Counts what its observers report: everything since the router started, or since the last reset.
import { ERROR_KINDS, type Lack, isErrorKind } from '../core/errors.ts';
import type { AgentMethod, AgentObserver, FallbackReasonName, TokenUsage } from '../core/agent-observer.ts';
import type { CacheStatusName, Observer, Outcome, VerdictName } from '../core/observer.ts';
import { versionKey } from '../core/version-key.ts';
import { type Work, energyJ, ownComputeUs } from '../core/work.ts';
import { AgentCounts } from './agent-counts.ts';
import type { EventObserver } from './event-log.ts';
import { TOPIC_GROUPS, type TopicGroup } from './event-topics.ts';
import { BOUNDS_S, bucketOf, Latencies } from './latency.ts';
import type {
  EngineCounts,
  Exemplar,
  MetricsSnapshot,
  ModelCounts,
  RequestTypeCounts,
  SavedMetrics,
} from './metrics-snapshot.ts';

// Limits on keys. They are not reached, because keys come from the router; they also hold in case of a bug.
const MAX_TYPES = 64;
const MAX_STRATEGIES = 64;
const MAX_MODELS = 256;
const MAX_ENGINES = 512; // twice what a pool holds, since an engine's last attempts may end after it was forgotten
/** Key for counts after a limit is reached. */
export const OTHER = 'other';

export class Metrics implements Observer, EventObserver, AgentObserver {
  readonly #now: () => number;
  #counts: Counts;

  constructor(now: () => number = Date.now) {
    this.#now = now;
    this.#counts = new Counts(now());
  }

  requestEnded(type: string, outcome: Outcome, durationMs: number, lack?: Lack): void {
    const counts = this.#type(type);
    if (outcome === 'OK') counts.latencies.record(durationMs);
    else counts.errors.set(outcome, (counts.errors.get(outcome) ?? 0) + 1);
    if (lack !== undefined) this.#counts.shed[lack] += 1;
  }

  /** The trace of an answered request: the newest of each latency bucket is kept. */
  exemplar(durationMs: number, traceId: string, type: string): void {
    this.#type(type).exemplars[bucketOf(durationMs)] = {
      ...{ traceId, durationMs, timeMs: this.#now() },
      upMs: performance.now(),
    };
  }

  planned(strategy: string): void {
    const { strategies } = this.#counts;
    const counter = strategies.get(strategy) ?? added(strategies, strategy, MAX_STRATEGIES, () => ({ count: 0 }));
    counter.count += 1;
  }

  attemptEnded(engineId: string, outcome: Outcome, durationMs: number): void {
    const counts = this.#engine(engineId);
    if (outcome === 'OK') counts.latencies.record(durationMs);
    else if (ERROR_KINDS[outcome].outcome === 'failure') counts.failed += 1;
    else counts.others += 1;
  }

  engineLate(engineId: string): void {
    this.#engine(engineId).late += 1;
  }

  computed(model: string, version: number, work: Work): void {
    const counts = this.#model(model, version);
    counts.inferences += 1;
    counts.computeUs = saturated(counts.computeUs + ownComputeUs(work));
    counts.synapticOperations = saturated(counts.synapticOperations + Number(work.synapticOperations));
    counts.spikes = saturated(counts.spikes + Number(work.totalSpikes));
  }

  answered(model: string, version: number): void {
    this.#model(model, version).requests += 1;
  }

  cacheUsed(status: CacheStatusName): void {
    this.#counts.cache[status] += 1;
  }

  voted(verdict: VerdictName, dissenterIds: readonly string[]): void {
    this.#counts.votes[verdict] += 1;
    for (const id of dissenterIds) this.#engine(id).dissents += 1;
  }

  eventPublished(group: TopicGroup): void {
    this.#counts.published[group] += 1;
  }

  eventsMissed(count: number): void {
    this.#counts.eventsMissed += count;
  }

  agentAnswered(method: AgentMethod, fallback: FallbackReasonName | undefined): void {
    this.#counts.agents.agentAnswered(method, fallback);
  }

  providerUsed(caller: string, usage: TokenUsage, usd: number): void {
    this.#counts.agents.providerUsed(caller, usage, usd);
  }

  /** Removes an engine that has left the pool, so that the table does not fill up. */
  forgetEngine(engineId: string): void {
    this.#counts.engines.delete(engineId);
  }

  /** Refused requests so far, by missing resource. */
  get shed(): Readonly<Record<Lack, number>> {
    return this.#counts.shed;
  }

  /** Sets the counts to 0. */
  reset(): void {
    this.#counts = new Counts(this.#now());
  }

  snapshot(): MetricsSnapshot {
    const { sinceMs, types, strategies, engines, models, cache, votes, shed, published, eventsMissed, agents } =
      this.#counts;
    const requestTypes = [...types].map(toTypeCounts).sort((a, b) => (a.type < b.type ? -1 : 1));
    return {
      sinceMs,
      requests: sum(requestTypes.map(({ count }) => count)),
      errors: sum(requestTypes.map(({ errors }) => errors)),
      requestTypes,
      strategies: new Map([...strategies].map(([name, { count }]) => [name, count])),
      engines: new Map([...engines].map(([id, counts]) => [id, toEngineCounts(counts)])),
      models: [...models.values()].map(toModelCounts).sort(byModel),
      cache: { ...cache },
      votes: { ...votes },
      shed: { ...shed },
      events: { published: { ...published }, missed: eventsMissed },
      agents: agents.snapshot(),
    };
  }

  /** `engineIds`: of the pool, so that removed engines do not fill the file. */
  save(engineIds: readonly string[]): SavedMetrics {
    const { sinceMs, types, strategies, engines, models, cache, votes, shed, agents } = this.#counts;
    return {
      sinceMs,
      types: [...types].map(([type, { errors, latencies }]) => ({
        ...{ type, errors: Object.fromEntries(errors), latencies: latencies.save() },
      })),
      strategies: Object.fromEntries([...strategies].map(([name, { count }]) => [name, count])),
      engines: engineIds.flatMap((id) => {
        const counts = engines.get(id);
        if (counts === undefined) return [];
        const { failed, others, late, dissents, latencies } = counts;
        return [{ id, failed, others, late, dissents, latencies: latencies.save() }];
      }),
      models: [...models.values()].map((counts) => ({ ...counts })),
      cache: { ...cache },
      votes: { ...votes },
      shed: { ...shed },
      agents: agents.snapshot(),
    };
  }

  /** Replaces the current counts, all or nothing. Throws if the saved counts are inconsistent. */
  restore(saved: SavedMetrics): void {
    const counts = new Counts(saved.sinceMs);
    const before = this.#counts;
    this.#counts = counts;
    try {
      for (const { type, errors, latencies } of saved.types) {
        const to = this.#type(type);
        to.latencies.restore(latencies);
        for (const [kind, times] of Object.entries(errors)) if (isErrorKind(kind)) to.errors.set(kind, times);
      }
      for (const [name, count] of Object.entries(saved.strategies)) {
        added(counts.strategies, name, MAX_STRATEGIES, () => ({ count: 0 })).count += count;
      }
      for (const { id, failed, others, late, dissents, latencies } of saved.engines) {
        const to = this.#engine(id);
        to.latencies.restore(latencies);
        Object.assign(to, { failed, others, late, dissents });
      }
      for (const each of saved.models) Object.assign(this.#model(each.model, each.version), each);
      copyKnown(saved.cache, counts.cache);
      copyKnown(saved.votes, counts.votes);
      copyKnown(saved.shed, counts.shed);
      counts.agents.restore(saved.agents);
    } catch (error) {
      this.#counts = before;
      throw error;
    }
  }

  #type(type: string): TypeCounts {
    const { types } = this.#counts;
    return types.get(type) ?? added(types, type, MAX_TYPES, () => new TypeCounts());
  }

  #engine(id: string): AttemptCounts {
    const { engines } = this.#counts;
    return engines.get(id) ?? added(engines, id, MAX_ENGINES, () => new AttemptCounts());
  }

  #model(model: string, version: number): ModelWork {
    const { models } = this.#counts;
    const key = versionKey(model, version);
    return models.get(key) ?? added(models, key, MAX_MODELS, (name) => newModelWork(name, model, version));
  }
}

class Counts {
  readonly types = new Map<string, TypeCounts>();
  readonly strategies = new Map<string, { count: number }>();
  readonly engines = new Map<string, AttemptCounts>();
  readonly models = new Map<string, ModelWork>();
  readonly cache: Record<CacheStatusName, number> = { HIT: 0, MISS: 0, COALESCED: 0, STALE: 0, BYPASSED: 0 };
  readonly votes: Record<VerdictName, number> = {
    UNANIMOUS: 0,
    MAJORITY: 0,
    PLURALITY: 0,
    DEGRADED: 0,
    DISPUTED: 0,
    TOO_FEW: 0,
    AUDITED: 0,
    AUDIT_DISPUTED: 0,
  };
  readonly shed: Record<Lack, number> = { ENGINES: 0, CPU: 0, MEMORY: 0 };
  readonly published = Object.fromEntries(TOPIC_GROUPS.map((group) => [group, 0])) as Record<TopicGroup, number>;
  eventsMissed = 0;
  readonly agents = new AgentCounts();
  readonly sinceMs: number;

  constructor(sinceMs: number) {
    this.sinceMs = sinceMs;
  }
}

class TypeCounts {
  readonly errors = new Map<Exclude<Outcome, 'OK'>, number>();
  readonly latencies = new Latencies();
  readonly exemplars: (Exemplar | undefined)[] = Array.from({ length: BOUNDS_S.length + 1 });
}

class AttemptCounts {
  failed = 0;
  others = 0;
  late = 0;
  dissents = 0;
  readonly latencies = new Latencies();
}

interface ModelWork {
  readonly model: string;
  readonly version: number;
  requests: number;
  inferences: number;
  computeUs: number;
  synapticOperations: number;
  spikes: number;
}

/** Saturates at the largest exact number, so that the file or a message is not broken. */
function saturated(sum: number): number {
  return Math.min(sum, Number.MAX_SAFE_INTEGER);
}

function newModelWork(name: string, model: string, version: number): ModelWork {
  const which = name === OTHER ? { model: OTHER, version: 0 } : { model, version };
  return { ...which, requests: 0, inferences: 0, computeUs: 0, synapticOperations: 0, spikes: 0 };
}

/** The new entry of `key`, or the shared one if there are `max`. */
function added<T>(map: Map<string, T>, key: string, max: number, make: (name: string) => T): T {
  const name = map.size < max - 1 ? key : OTHER;
  const value = map.get(name) ?? make(name);
  map.set(name, value);
  return value;
}

function copyKnown(from: Readonly<Record<string, number>>, to: Record<string, number>): void {
  for (const name of Object.keys(to)) to[name] = from[name] ?? 0;
}

function toTypeCounts([type, counts]: [string, TypeCounts]): RequestTypeCounts {
  const latency = counts.latencies.summary();
  const errors = sum([...counts.errors.values()]);
  const byReason = [...counts.errors].map(([kind, count]) => [`${ERROR_KINDS[kind].code}/${kind}`, count] as const);
  return {
    type,
    count: latency.count + errors,
    errors,
    errorsByReason: Object.fromEntries(byReason.sort((a, b) => (a[0] < b[0] ? -1 : 1))),
    latency,
    histogram: counts.latencies.histogram(),
    exemplars: [...counts.exemplars],
    buckets: counts.latencies.buckets(),
  };
}

function toEngineCounts({ latencies, failed, others, late, dissents }: AttemptCounts): EngineCounts {
  const latency = latencies.summary();
  return { succeeded: latency.count, failed, others, late, dissents, latency, histogram: latencies.histogram() };
}

function toModelCounts({ computeUs, ...counts }: ModelWork): ModelCounts {
  return { ...counts, computeS: computeUs / 1e6, energyJ: energyJ(counts.synapticOperations) };
}

function byModel(a: ModelCounts, b: ModelCounts): number {
  if (a.model !== b.model) return a.model < b.model ? -1 : 1;
  return a.version - b.version;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
