// One schedule: the router's real parts, wired as services/main.ts does, on the virtual clock, and what must hold of them.
import { getEventListeners } from 'node:events';
import { AnswerCache } from '../../services/cache/answer-cache.ts';
import { RouterError } from '../../services/core/errors.ts';
import type { CallContext, InferenceInput } from '../../services/core/inference.ts';
import type { Observer } from '../../services/core/observer.ts';
import { EnginePool, type PoolEvents } from '../../services/engines/pool.ts';
import type { PooledEngine } from '../../services/engines/pooled-engine.ts';
import { ConcurrencyLimit } from '../../services/engines/concurrency-limit.ts';
import { Quarantine } from '../../services/engines/quarantine.ts';
import { ModelRepository, type ModelVersion } from '../../services/models/repository.ts';
import { Admission } from '../../services/routing/admission.ts';
import { type Answer, sizeOf } from '../../services/routing/answer.ts';
import { Audit } from '../../services/routing/audit.ts';
import type { Dispute } from '../../services/routing/dispute.ts';
import { LatencyQuantile } from '../../services/routing/latency-quantile.ts';
import { RetryBudget } from '../../services/routing/retry-budget.ts';
import { type ReasonAnswer, Router } from '../../services/routing/router.ts';
import { forModel } from '../../services/routing/vote-policy.ts';
import { type VotePolicy, needed, tighten } from '../../services/voting/policy.ts';
import { Random } from '../fuzz/random.ts';
import { type RequestPlan, type SchedulePlan, makePlan } from './plan.ts';
import { OUTPUTS, SimEngine, answerTo, dataOf } from './sim-engine.ts';
import { VirtualClock } from './virtual-clock.ts';

export const INVARIANTS = {
  right: 'a REDUNDANT request never gets a wrong answer while at most f of n = 2f + 1 engines lie (alike or not)',
  ballots: 'no engine has two ballots in a vote',
  end: 'every request ends by its deadline, or when its caller leaves, give or take 2 ms',
  budget: 'attempts beyond the first (and beyond the participants) never exceed the retry budget',
  leaks: 'at the end: nothing in flight, nobody waiting, no timer, no abort listener on a caller’s signal',
  cached: 'what the cache gives a REDUNDANT request was voted, by as many as its policy needs',
  quarantine: 'no honest engine is ever quarantined, and a liar is after `dissents` dissents, while liars are few',
  breaker: 'no request to an engine whose breaker is open unless panicking; half-open, one at a time',
  bounds: 'in flight never exceeds max_in_flight, nor the queue max_queue',
  back: 'an engine that is well again leaves quarantine by itself, and is never tried twice at once',
  errors: 'nothing rejects with INTERNAL or anything but a RouterError, and nothing is thrown in the background',
} as const;

export type Invariant = keyof typeof INVARIANTS;

export class Broken extends Error {
  readonly invariant: Invariant;
  constructor(invariant: Invariant, what: string) {
    super(what);
    this.invariant = invariant;
  }
}

export interface Result {
  readonly requests: number;
  readonly answered: number;
  /** Of everything that happened, in order. */
  readonly hash: number;
  readonly broken: Broken | undefined;
  readonly trace: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}

/** A deadline is kept by timers, which count whole milliseconds. */
const SLACK_MS = 2;
/** After the last request: what is still running, on engines that are all well, has so long. */
const HEALING_MS = 1_200;
/** When all is stopped: for the known inputs that a quarantined engine has just been given. */
const LAST_MS = 500;

const GOLDEN = [-1, -2];

const VERSION: ModelVersion = {
  ...{ name: 'm', version: 1, inputKind: 'constant', inputShape: [2], steps: 16, dt: 1e-3, vote: undefined, error: '' },
  readout: { from: 'spike_count', labels: Array.from({ length: OUTPUTS }, (_, k) => `label ${k}`), temperature: 1 },
  golden: GOLDEN.map((input) => ({ data: dataOf(input), ...digestsOf(input) })),
};

function digestsOf(input: number): { stateDigest: bigint; readoutDigest: bigint } {
  const { stateDigest, readoutDigest } = answerTo(input);
  return { stateDigest, readoutDigest };
}

export const clock = new VirtualClock();

/** What nobody caught, of the schedule that runs. */
export const uncaught: unknown[] = [];

export function seedOf(seed: number, schedule: number): number {
  let mixed = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(schedule + 1, 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

export async function runSchedule(seed: number, wantsTrace = false): Promise<Result> {
  const random = new Random(seed);
  const simulation = new Simulation(makePlan(random), new Random(seed ^ 0x5bd1e995), wantsTrace);
  clock.reset(new Random(seed ^ 0x27d4eb2f));
  uncaught.length = 0;
  return await simulation.run();
}

interface Asked {
  readonly plan: RequestPlan;
  readonly policy: VotePolicy | undefined;
  readonly number: number;
  readonly startMs: number;
  readonly endByMs: number;
  readonly controller: AbortController;
  attempts: number;
  readonly whole: Set<string>;
  readonly voters: Set<string>;
  isOver: boolean;
}

class Simulation {
  readonly #plan: SchedulePlan;
  readonly #random: Random;
  readonly #wantsTrace: boolean;
  readonly #trace: string[] = [];
  readonly #counts: Record<string, number> = {};
  #hash = 0x811c9dc5;
  #broken: Broken | undefined;
  #startMs = 0;
  #isHealing = false;

  readonly #engines: SimEngine[] = [];
  /** Removed ones too. */
  readonly #everyEngine: SimEngine[] = [];
  readonly #asked: Asked[] = [];
  readonly #ofData = new WeakMap<Uint8Array, Asked>();
  readonly #probing = new Map<string, number>();
  /** Requests sent through a half-open breaker and not answered, of each engine. */
  readonly #halfOpen = new Map<string, number>();
  readonly #dissents = new Map<string, number[]>();
  readonly #wasOut = new Set<string>();
  #open = 0;
  #answered = 0;
  #planned = 0;
  #retries = 0;

  readonly #pool: EnginePool;
  readonly #quarantine: Quarantine;
  readonly #admission: Admission;
  readonly #cache: AnswerCache<Answer> | undefined;
  readonly #router: Router;

  constructor(plan: SchedulePlan, random: Random, wantsTrace: boolean) {
    this.#plan = plan;
    this.#random = random;
    this.#wantsTrace = wantsTrace;
    const { maxInFlight, maxQueue, maxWaitMs, quarantine, cache, vote } = plan;
    const events: Partial<PoolEvents> = {
      engineChanged: (pooled) => {
        this.#admission.serve();
        this.#checkQuarantined(pooled);
      },
      breakerChanged: ({ id }, { state }) => {
        this.#admission.serve();
        if (state !== 'HALF_OPEN') this.#halfOpen.delete(id);
        this.#note('breaker', id, state);
      },
      panicChanged: ({ isPanicking }) => this.#note('panic', isPanicking ? 'on' : 'off'),
    };
    this.#admission = new Admission({ maxQueue, maxWaitMs });
    this.#pool = new EnginePool(plan.breaker, events, plan.panicPercent);
    const golden = VERSION.golden.map(({ data, ...digests }) => ({
      input: { model: 'm', version: 1, shape: [2], data },
      ...digests,
    }));
    this.#quarantine = new Quarantine(this.#pool, quarantine, () => golden);
    const onDispute = (dispute: Dispute): void => this.#onDispute(dispute);
    const observer: Observer = {
      requestEnded: () => undefined,
      planned: () => (this.#planned += 1),
      attemptEnded: () => undefined,
      computed: () => undefined,
      answered: () => undefined,
      cacheUsed: (status) => this.#count(status),
      voted: (verdict, ids) => this.#note('voted', verdict, ids.join()),
    };
    this.#cache = cache && new AnswerCache<Answer>({ ...cache, maxBytes: 1e6, sizeOf });
    this.#router = new Router(new ModelRepository([VERSION], 'm'), this.#pool, this.#cache, {
      strategy: 'ROUND_ROBIN',
      localFirstShare: 0.8,
      sidecarFirstShare: 0.8,
      vote,
      usualMs: new LatencyQuantile(plan.hedgePercentile),
      audit: new Audit({ rate: vote.audit_rate, observer, onDispute }),
      admission: this.#admission,
      onDispute,
      maxInFlight,
      slowStartMs: plan.slowStartMs,
      maxAttempts: plan.maxAttempts,
      attemptTimeoutMs: plan.attemptTimeoutMs,
      budget: new RetryBudget(maxInFlight, plan.budgetPercent),
      observer,
    });
  }

  async run(): Promise<Result> {
    const { lengthMs } = this.#plan;
    this.#startMs = clock.nowMs;
    try {
      this.#prepare();
      clock.onStep = () => this.#checkBounds();
      // The longest request, and what it takes to notice that it has not ended.
      const endMs = this.#startMs + lengthMs + 2_000;
      const isQuiet = (): boolean => this.#open === 0 && clock.nowMs >= this.#startMs + lengthMs;
      await clock.run(isQuiet, endMs);
      await this.#heal();
      this.#stop();
      await clock.run(() => false, clock.nowMs + LAST_MS);
      this.#checkEnd();
    } catch (error) {
      this.#fail(error instanceof Broken ? error : new Broken('errors', (error as Error).stack ?? 'thrown'));
    } finally {
      clock.onStep = () => undefined;
    }
    return {
      requests: this.#asked.length,
      answered: this.#answered,
      hash: this.#hash >>> 0,
      broken: this.#broken,
      trace: this.#trace,
      counts: this.#counts,
    };
  }

  #prepare(): void {
    for (const plan of this.#plan.engines) this.#addEngine(plan.id, plan);
    for (const engine of this.#engines) engine.setMood(engine.plan.moods[0]!.kind);
    this.#pool.settle();
    for (const [n, { moods, lie, liesFromMs, liesUntilMs }] of this.#plan.engines.entries()) {
      for (const { fromMs, kind } of moods.slice(1)) this.#at(fromMs, () => this.#setMood(this.#engines[n]!, kind));
      if (lie === undefined) continue;
      this.#at(liesFromMs, () => (this.#engines[n]!.isLying = true));
      if (liesUntilMs !== Infinity) this.#at(liesUntilMs, () => (this.#engines[n]!.isLying = false));
      this.#engines[n]!.isLying = liesFromMs === 0;
    }
    for (const plan of this.#plan.requests) this.#at(plan.atMs, () => this.#ask(plan));
    for (const { atMs, engine, act } of this.#plan.acts) {
      this.#at(atMs, () => {
        const old = this.#engines[engine]!;
        this.#note(act, old.id);
        if (act === 'READMIT') this.#quarantine.readmit(this.#pool.find(old.id));
        else this.#replace(engine, old);
      });
    }
  }

  #at(ms: number, run: () => void): void {
    clock.at(this.#startMs + ms, () => {
      if (!this.#isHealing) run();
    });
  }

  #addEngine(id: string, plan: SimEngine['plan']): SimEngine {
    const { areAlike } = this.#plan;
    const engine: SimEngine = new SimEngine(id, plan, {
      random: this.#random,
      areAlike,
      called: (...call) => this.#called(...call),
    });
    const pooled = this.#pool.add(engine);
    if (plan.limit !== undefined) {
      Object.assign(pooled, { limit: new ConcurrencyLimit({ initial: plan.limit, min: 1, max: 1_024 }) });
    }
    this.#engines[Number(plan.id.slice(1))] = engine;
    this.#everyEngine.push(engine);
    return engine;
  }

  /** Taken out of service, and another one in its place. */
  #replace(place: number, old: SimEngine): void {
    this.#pool.remove(old.id);
    const engine = this.#addEngine(`${old.id}'`, this.#plan.engines[place]!);
    engine.isLying = old.isLying;
    engine.setMood(old.mood);
  }

  #setMood(engine: SimEngine, mood: SimEngine['mood']): void {
    this.#note('mood', engine.id, mood);
    const pooled = this.#pool.find(engine.id);
    engine.setMood(mood === 'DRAINED' ? 'WELL' : mood);
    if (pooled.isDraining !== (mood === 'DRAINED')) this.#pool.setDraining(pooled, mood === 'DRAINED');
  }

  #ask(plan: RequestPlan): void {
    const data = dataOf(plan.input);
    const controller = new AbortController();
    const startMs = performance.now();
    const leavesMs = plan.leavesAfterMs === undefined ? Infinity : startMs + plan.leavesAfterMs;
    const deadlineMs = startMs + plan.timeoutMs;
    const policy =
      plan.strategy === 'REDUNDANT' ? tighten(forModel(this.#plan.vote, undefined), plan.vote ?? {}, 15) : undefined;
    const asked: Asked = {
      ...{ plan, policy, startMs, controller, number: this.#asked.length, endByMs: Math.min(leavesMs, deadlineMs) },
      ...{ attempts: 0, whole: new Set<string>(), voters: new Set<string>(), isOver: false },
    };
    this.#asked.push(asked);
    this.#ofData.set(data, asked);
    this.#open += 1;
    if (leavesMs < deadlineMs) {
      clock.at(leavesMs, () => {
        if (!asked.isOver) controller.abort(new RouterError('CANCELLED', 'the caller left'));
      });
    }
    const question = {
      ...{ model: '', modelVersion: 0, strategy: plan.strategy, cache: plan.cache, vote: plan.vote },
      input: { field: 'encoding' as const, shape: [2], dtype: 'FP32', data },
    };
    void this.#router.reason(question, { deadlineMs, signal: controller.signal }).then(
      (answer) => this.#guard(() => this.#onAnswer(asked, answer)),
      (error: unknown) => this.#guard(() => this.#onError(asked, error)),
    );
    this.#guard(() => this.#checkBounds());
  }

  #over(asked: Asked, how: string): void {
    asked.isOver = true;
    this.#open -= 1;
    this.#count(how);
    this.#note('end', asked.number, how);
    const lateMs = clock.nowMs - asked.endByMs;
    if (lateMs > SLACK_MS) {
      throw new Broken('end', `request ${asked.number} ended ${lateMs.toFixed(2)} ms too late, with ${how}`);
    }
    const listeners = getEventListeners(asked.controller.signal, 'abort').length;
    // A vote's, or a hedge's, may be there for as long as a step takes; the end of the schedule is where none may be.
    if (listeners > 0) this.#count('listenersAtEnd');
  }

  #onError(asked: Asked, error: unknown): void {
    if (!(error instanceof RouterError)) throw new Broken('errors', `request ${asked.number}: ${String(error)}`);
    if (error.kind === 'INTERNAL') throw new Broken('errors', `request ${asked.number}: ${String(error.cause)}`);
    this.#over(asked, error.kind);
  }

  #onAnswer(asked: Asked, { answer, cache, grade }: ReasonAnswer): void {
    this.#answered += 1;
    this.#over(asked, `OK ${grade} ${answer.engine.id}`);
    const truth = answerTo(asked.plan.input);
    const isRight =
      answer.inference.stateDigest === truth.stateDigest &&
      answer.inference.spikeCounts.every((count, k) => count === truth.spikeCounts[k]);
    const { policy } = asked;
    const saw = (): string => `request ${asked.number} (${asked.plan.strategy}, ${cache}, ${grade})`;
    if (!isRight && this.#liars() === 0) throw new Broken('right', `${saw()} got a wrong answer though nobody lies`);
    if (policy === undefined) return;
    const ids = answer.ballots.map(({ engineId }) => engineId);
    if (new Set(ids).size !== ids.length) throw new Broken('ballots', `${saw()}: ballots of ${ids.join(', ')}`);
    const agreeing = answer.ballots.filter(({ outcome }) => outcome === 'AGREED').length;
    const isLenient = policy.onFew !== 'FAIL' || policy.onDispute !== 'FAIL';
    const isKept = cache === 'HIT' || cache === 'STALE';
    if ((isKept || !isLenient) && (agreeing < needed(policy) || !answer.isFirm)) {
      const invariant = cache === 'MISS' || cache === 'BYPASSED' ? 'right' : 'cached';
      throw new Broken(invariant, `${saw()}: ${agreeing} agreed, ${needed(policy)} must`);
    }
    if (answer.isFirm && this.#coalition() < needed(policy)) {
      const isTrue = policy.compare.kind === 'EXACT' ? isRight : answer.labelIndex === labelOf(truth.spikeCounts);
      if (!isTrue) throw new Broken(isKept ? 'cached' : 'right', `${saw()} got a wrong answer`);
    }
  }

  #called(engine: SimEngine, input: InferenceInput, { signal }: CallContext): (outcome: string) => void {
    const asked = this.#ofData.get(input.data);
    this.#note('call', engine.id, asked?.number ?? 'probe', input.digestOnly ?? '');
    if (asked === undefined) return this.#quarantineProbe(engine, signal);
    const over = this.#guard(() => {
      this.#countAttempt(engine, asked, input.digestOnly);
      return this.#checkBreaker(engine);
    });
    return (outcome) => {
      over?.();
      this.#note('called', engine.id, asked.number, outcome);
    };
  }

  #countAttempt({ id }: SimEngine, asked: Asked, digestOnly: boolean | undefined): void {
    const { policy, number } = asked;
    if (policy === undefined) {
      if (digestOnly !== undefined) return; // an audit
      asked.attempts += 1;
      if (asked.attempts > 1) this.#retries += 1;
      const { maxAttempts } = this.#plan;
      if (asked.attempts > maxAttempts) throw new Broken('budget', `request ${number}: more than ${maxAttempts} tries`);
    } else if (digestOnly === undefined) {
      // Those who won are asked for the whole of what won, one after the other, each once: never a ballot.
      this.#count('whole');
      if (asked.whole.has(id)) throw new Broken('ballots', `request ${number}: ${id} was asked for the whole twice`);
      asked.whole.add(id);
    } else {
      if (asked.voters.has(id)) throw new Broken('ballots', `request ${number}: "${id}" was asked to vote twice`);
      asked.voters.add(id);
      if (asked.voters.size > policy.participants) this.#retries += 1;
    }
    const { maxInFlight, budgetPercent } = this.#plan;
    const budget = (budgetPercent === 0 ? 0 : maxInFlight) + (budgetPercent / 100) * this.#planned;
    if (this.#retries > budget + 1e-6) throw new Broken('budget', `${this.#retries} retries, ${budget} are allowed`);
  }

  #checkBreaker({ id }: SimEngine): () => void {
    const pooled = this.#pool.engines.find((each) => each.id === id);
    if (pooled === undefined || pooled.isPanicking) return () => undefined;
    const { state } = pooled.breaker;
    if (state === 'OPEN') throw new Broken('breaker', `"${id}" got a request while its breaker was open`);
    if (state === 'CLOSED') return () => undefined;
    const probes = (this.#halfOpen.get(id) ?? 0) + 1;
    this.#halfOpen.set(id, probes);
    if (probes > 1) throw new Broken('breaker', `"${id}" got ${probes} requests at once while half-open`);
    return () => {
      const left = this.#halfOpen.get(id);
      if (left !== undefined) this.#halfOpen.set(id, Math.max(0, left - 1));
    };
  }

  #quarantineProbe({ id }: SimEngine, _signal: AbortSignal): (outcome: string) => void {
    const probes = (this.#probing.get(id) ?? 0) + 1;
    this.#probing.set(id, probes);
    this.#count('probes');
    this.#guard(() => {
      if (probes > 1) throw new Broken('back', `"${id}" is tried ${probes} times at once`);
    });
    return (outcome) => {
      this.#probing.set(id, this.#probing.get(id)! - 1);
      this.#note('probed', id, outcome);
    };
  }

  /** As services/main.ts, and then what should have come of it. */
  #onDispute({ input, wrong, ballots, verdict, right: rightDigests }: Dispute): void {
    this.#note('dispute', verdict, wrong.join());
    for (const { engineId } of ballots.filter((ballot) => wrong.includes(ballot.engineId))) {
      const engine = this.#pool.engines.find(({ id }) => id === engineId);
      if (engine !== undefined && rightDigests !== undefined) {
        this.#noteDissent(engine);
        this.#quarantine.dissented(engine, { input, ...rightDigests });
        this.#guard(() => this.#checkDissents(engine));
      }
    }
    this.#guard(() => {
      const asked = this.#ofData.get(input.data)!;
      const ids = ballots.map(({ engineId }) => engineId);
      if (new Set(ids).size !== ids.length) throw new Broken('ballots', `dispute of ${ids.join(', ')}`);
      const truth = answerTo(asked.plan.input);
      const isAudit = verdict === 'AUDIT_DISPUTED';
      const policy = asked.policy;
      if (verdict === 'CONTRADICTED_ITSELF') return; // of one engine; the vote's own dispute tells of the others
      if (!isAudit && (policy === undefined || policy.compare.kind !== 'EXACT')) return;
      const cast = ballots.filter((ballot) => ballot.stateDigest !== undefined);
      const right = cast.filter(
        (ballot) => ballot.stateDigest === truth.stateDigest && ballot.readoutDigest === truth.readoutDigest,
      );
      const enough = isAudit ? Math.floor(Math.max(3, this.#everyEngine.length) / 2) + 1 : needed(policy!, cast.length);
      const kinds = new Set(right.map(({ engineId }) => this.#everyEngine.find(({ id }) => id === engineId)!.kind));
      if (right.length < enough || kinds.size < (isAudit ? 1 : policy!.distinctKinds)) return;
      // The true answer has what it takes: whoever said otherwise, and nobody else, is wrong.
      const expected = cast.filter((ballot) => !right.includes(ballot)).map(({ engineId }) => engineId);
      if (expected.join() !== wrong.join()) {
        throw new Broken('quarantine', `wrong is [${wrong.join()}] and should be [${expected.join()}]`);
      }
    });
  }

  #noteDissent({ id }: PooledEngine): void {
    const since = clock.nowMs - this.#plan.quarantine.windowMs;
    this.#dissents.set(id, [...(this.#dissents.get(id) ?? []).filter((atMs) => atMs > since), clock.nowMs]);
  }

  #checkDissents({ id, quarantine }: PooledEngine): void {
    const dissents = this.#dissents.get(id)?.length ?? 0;
    if (quarantine === '' && dissents >= this.#plan.quarantine.dissents) {
      throw new Broken('quarantine', `"${id}" is in after ${dissents} dissents`);
    }
  }

  #checkQuarantined({ id, quarantine }: PooledEngine): void {
    if (quarantine === '') {
      this.#dissents.delete(id);
      if (!this.#wasOut.delete(id)) return;
      this.#note('trusted', id);
      if (this.#everyEngine.some((engine) => engine.id === id && engine.isLying)) this.#count('trustedThoughLying');
      return;
    }
    if (this.#wasOut.has(id)) return;
    this.#wasOut.add(id);
    this.#count('quarantined');
    this.#note('quarantined', id);
    const isHonest = this.#everyEngine.find((each) => each.id === id)!.plan.lie === undefined;
    if (isHonest && this.#areFew()) {
      this.#guard(() => {
        throw new Broken('quarantine', `"${id}" is honest and was put out: ${quarantine}`);
      });
    }
  }

  #checkBounds(): void {
    if (this.#broken !== undefined) throw this.#broken;
    if (uncaught.length > 0) throw new Broken('errors', `in the background: ${String(uncaught[0])}`);
    const { maxInFlight, maxQueue } = this.#plan;
    const { inFlight } = this.#router;
    const { waiting } = this.#admission;
    if (waiting > 0) this.#counts['waitingSteps'] = (this.#counts['waitingSteps'] ?? 0) + 1;
    if (inFlight > maxInFlight) throw new Broken('bounds', `${inFlight} in flight, ${maxInFlight} may be`);
    if (waiting > maxQueue) throw new Broken('bounds', `${waiting} waiting, ${maxQueue} may`);
  }

  /** Everybody is well from now on: what runs ends, and who is out comes back. */
  async #heal(): Promise<void> {
    const unfinished = this.#asked.filter(({ isOver }) => !isOver);
    if (unfinished.length > 0) {
      throw new Broken('end', `${unfinished.length} requests never ended, among them ${unfinished[0]!.number}`);
    }
    this.#isHealing = true;
    for (const engine of this.#engines) {
      engine.isLying = false;
      this.#setMood(engine, 'WELL');
    }
    for (const engine of this.#everyEngine) engine.finish();
    const isIdle = (): boolean => this.#everyEngine.every(({ inFlight }) => inFlight === 0);
    const isBack = (): boolean => this.#pool.engines.every(({ quarantine }) => quarantine === '');
    await clock.run(() => isIdle() && isBack(), clock.nowMs + HEALING_MS);
    const out = this.#pool.engines.filter(({ quarantine }) => quarantine !== '');
    // Too many liars have taught it wrong answers.
    if (out.length > 0 && this.#areFew())
      throw new Broken('back', `"${out[0]!.id}" is well and stays out: ${out[0]!.quarantine}`);
  }

  #stop(): void {
    this.#quarantine.stop();
    for (const { breaker } of this.#pool.engines) breaker.stop();
  }

  #checkEnd(): void {
    this.#checkBounds();
    const demand = (what: string, count: number | undefined): void => {
      if (count !== undefined && count !== 0) throw new Broken('leaks', `${what}: ${count}`);
    };
    demand('requests in flight', this.#router.inFlight);
    demand('flights of the cache', this.#cache?.stats.flights);
    demand('waiting for an engine', this.#admission.waiting);
    for (const { id, inFlight } of this.#everyEngine) demand(`in flight on "${id}"`, inFlight);
    for (const { number, controller } of this.#asked) {
      demand(`abort listeners of request ${number}`, getEventListeners(controller.signal, 'abort').length);
    }
    demand('timers', clock.pending);
  }

  #liars(): number {
    return this.#plan.engines.filter(({ lie }) => lie !== undefined).length;
  }

  /** How many may give one and the same wrong answer. */
  #coalition(): number {
    const { areAlike, vote } = this.#plan;
    // There are few labels: by LABEL or TOLERANCE different lies may agree.
    return areAlike || vote.compare !== 'EXACT' ? this.#liars() : Math.min(1, this.#liars());
  }

  /** Neither in a vote nor in an audit, which asks until two agree, can they be the majority. */
  #areFew(): boolean {
    const least = needed(forModel(this.#plan.vote, undefined));
    return this.#coalition() < Math.min(least, this.#plan.vote.audit_rate > 0 ? 2 : Infinity);
  }

  /** A broken invariant must not be taken for an error of the product, which would handle it. */
  #guard<T>(check: () => T): T | undefined {
    try {
      return check();
    } catch (error) {
      this.#fail(error instanceof Broken ? error : new Broken('errors', (error as Error).stack ?? 'thrown'));
      return undefined;
    }
  }

  #fail(broken: Broken): void {
    this.#note('BROKEN', broken.invariant, broken.message);
    this.#broken ??= broken;
  }

  #count(what: string): void {
    const name = what.split(' ', 1)[0]!;
    this.#counts[name] = (this.#counts[name] ?? 0) + 1;
  }

  #note(...what: readonly (string | number | boolean)[]): void {
    const line = `${(clock.nowMs - this.#startMs).toFixed(3)} ${what.join(' ')}`;
    let hash = this.#hash;
    for (let k = 0; k < line.length; k += 1) hash = Math.imul(hash ^ line.charCodeAt(k), 0x01000193);
    this.#hash = hash;
    if (this.#wantsTrace) this.#trace.push(line);
  }
}

function labelOf(spikeCounts: readonly number[]): number {
  return spikeCounts.indexOf(Math.max(...spikeCounts));
}
