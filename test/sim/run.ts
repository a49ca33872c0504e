// One schedule: the router's real parts, wired as services/main.ts does, on the virtual clock (invariants.ts: the checks).
import { getEventListeners } from 'node:events';
import { AnswerCache } from '../../services/cache/answer-cache.ts';
import { forgetDistrusted } from '../../services/composition/distrusted.ts';
import { RouterError } from '../../services/core/errors.ts';
import type { InferenceInput } from '../../services/core/inference.ts';
import type { Observer } from '../../services/core/observer.ts';
import { EnginePool, type PoolEvents } from '../../services/engines/pool.ts';
import { Quarantine } from '../../services/engines/quarantine.ts';
import { ModelRepository } from '../../services/models/repository.ts';
import { Admission } from '../../services/routing/admission.ts';
import { CpuOverload } from '../../services/routing/cpu-overload.ts';
import { type Answer, sizeOf } from '../../services/routing/answer.ts';
import type { Dispute } from '../../services/routing/dispute.ts';
import { LatencyQuantile } from '../../services/routing/latency-quantile.ts';
import { RetryBudget } from '../../services/routing/retry-budget.ts';
import { type ReasonAnswer, Router } from '../../services/routing/router.ts';
import { forModel } from '../../services/routing/vote-policy.ts';
import type { Ending } from '../../services/sessions/options.ts';
import type { Session } from '../../services/sessions/session.ts';
import { SessionStore } from '../../services/sessions/session-store.ts';
import { tighten } from '../../services/voting/policy.ts';
import { sessionLimits } from '../fakes/router-parts.ts';
import { Random } from '../fuzz/random.ts';
import { checkAnswer } from './answers.ts';
import { type SentRequest, Attempts, newAsked } from './attempts.ts';
import { type Bounded, checkBounds, checkNothingLeft } from './bounds.ts';
import { Broken } from './invariants.ts';
import type { SimDns } from './dns.ts';
import { Fleet } from './fleet.ts';
import { GreyChecks } from './grey-checks.ts';
import { makeGreyPlan } from './grey-plan.ts';
import { Journal } from './journal.ts';
import { areFew } from './liars.ts';
import { PINS, VERSION, dataOf } from './model.ts';
import { type RequestPlan, type SchedulePlan, makePlan } from './plan.ts';
import type { Result } from './schedule.ts';
import { QuarantineChecks } from './quarantine-checks.ts';
import { checkRefusal } from './refusals.ts';
import { SessionChecks } from './session-checks.ts';
import type { SimEngine } from './sim-engine.ts';
import { clock } from './virtual-clock.ts';
import { WatchedAudit } from './watched-audit.ts';

/** A deadline is a timer, with a resolution of a millisecond. */
const SLACK_MS = 2;
/** After the last request, with all engines working, the remaining work has this time. */
const GREY_SHARE = 0.2;
const HEALING_MS = 1_200;
/** At the stop: time for the known inputs that a quarantined engine has just got. */
const LAST_MS = 500;

/** Uncaught errors of the running schedule. */
export const uncaught: unknown[] = [];

export async function runSchedule(seed: number, wantsTrace = false): Promise<Result> {
  const random = new Random(seed);
  const plan = random.chance(GREY_SHARE) ? makeGreyPlan(random) : makePlan(random);
  clock.reset(new Random(seed ^ 0x27d4eb2f));
  const simulation = new Simulation(plan, new Random(seed ^ 0x5bd1e995), wantsTrace);
  uncaught.length = 0;
  return await simulation.run();
}

class Simulation {
  readonly #plan: SchedulePlan;
  readonly #journal: Journal;
  readonly #startMs = clock.nowMs;
  #isHealing = false;

  readonly #fleet: Fleet;
  /** Removed ones too. */
  readonly #everyEngine: SimEngine[] = [];
  readonly #sent: SentRequest[] = [];
  readonly #ofData = new WeakMap<Uint8Array, SentRequest>();
  readonly #attempts: Attempts;
  readonly #quarantined: QuarantineChecks;
  readonly #grey: GreyChecks;
  readonly #dns: SimDns | undefined;
  #open = 0;
  #answered = 0;

  readonly #pool: EnginePool;
  readonly #quarantine: Quarantine;
  readonly #admission: Admission;
  readonly #cache: AnswerCache<Answer> | undefined;
  readonly #sessions: SessionStore;
  readonly #sessionChecks: SessionChecks;
  readonly #router: Router;
  readonly #bounded: Bounded;

  constructor(plan: SchedulePlan, random: Random, wantsTrace: boolean) {
    this.#plan = plan;
    this.#journal = new Journal(wantsTrace, this.#startMs);
    this.#attempts = new Attempts(plan, this.#journal);
    this.#quarantined = new QuarantineChecks(plan, this.#journal, this.#everyEngine);
    const { maxInFlight, maxQueue, maxWaitMs, quarantine, cache, vote } = plan;
    const events: Partial<PoolEvents> = {
      engineChanged: (pooled) => {
        this.#admission.serve();
        this.#quarantined.check(pooled);
        this.#journal.guard(() => this.#dns?.engineChanged(pooled));
      },
      engineRemoved: (pooled) => this.#dns?.engineRemoved(pooled),
      roomFreed: () => this.#admission.serve(),
      breakerChanged: ({ id }, { state }) => {
        this.#admission.serve();
        if (state !== 'HALF_OPEN') this.#attempts.settled(id);
        this.#journal.note('breaker', id, state);
      },
      panicChanged: ({ isPanicking }) => this.#journal.note('panic', isPanicking ? 'on' : 'off'),
    };
    this.#admission = new Admission({ maxQueue, maxWaitMs });
    this.#pool = new EnginePool(PINS, plan.breaker, events, plan.panicPercent);
    this.#grey = new GreyChecks(plan, this.#pool);
    this.#fleet = new Fleet({
      ...{ plan, random, journal: this.#journal, pool: this.#pool, every: this.#everyEngine },
      called: (engine, input, { deadlineMs }) => this.#called(engine, input, deadlineMs),
    });
    this.#dns = this.#fleet.findByName();
    const golden = VERSION.golden.map(({ data, ...digests }) => ({
      input: { model: 'm', version: 1, shape: [2], data },
      ...digests,
    }));
    this.#cache = cache && new AnswerCache<Answer>({ ...cache, maxBytes: 1e6, sizeOf });
    this.#quarantine = new Quarantine(
      this.#pool,
      quarantine,
      () => golden,
      () => forgetDistrusted(this.#cache, this.#pool),
    );
    const onDispute = (dispute: Dispute): void => this.#onDispute(dispute);
    const observer: Observer = {
      requestEnded: () => undefined,
      planned: () => (this.#attempts.planned += 1),
      attemptEnded: () => undefined,
      engineLate: () => undefined,
      computed: () => undefined,
      answered: () => undefined,
      cacheUsed: (status) => this.#journal.count(status),
      voted: (verdict, ids) => this.#journal.note('voted', verdict, ids.join()),
    };
    const sessionEvents = {
      ended: ({ id }: Session, why: Ending): void => this.#journal.guard(() => this.#sessionChecks.ended(id, why)),
      refused: (): void => this.#journal.count('sessionsRefused'),
    };
    this.#sessions = new SessionStore(sessionLimits(plan.sessions), sessionEvents);
    this.#sessionChecks = new SessionChecks(plan, this.#journal, () => this.#sessions);
    this.#router = new Router(new ModelRepository([VERSION], 'm'), this.#pool, this.#cache, this.#sessions, {
      strategy: 'ROUND_ROBIN',
      localFirstShare: 0.8,
      sidecarFirstShare: 0.8,
      vote,
      latencyQuantile: new LatencyQuantile(plan.hedgePercentile),
      audit: new WatchedAudit({ rate: vote.audit_rate, observer, onDispute }, (data) => this.#onContradicted(data)),
      admission: this.#admission,
      overload: new CpuOverload(), // not started: the clock of a schedule is not the machine’s
      onDispute,
      maxInFlight,
      slowStartMs: plan.slowStartMs,
      maxAttempts: plan.maxAttempts,
      attemptTimeoutMs: plan.attemptTimeoutMs,
      budget: new RetryBudget(maxInFlight, plan.budgetPercent),
      observer,
    });
    this.#bounded = {
      ...{ plan, journal: this.#journal, router: this.#router, admission: this.#admission },
      ...{ sessions: this.#sessions, cache: this.#cache },
    };
  }

  async run(): Promise<Result> {
    const { lengthMs } = this.#plan;
    try {
      this.#prepare();
      clock.onStep = () => this.#checkBounds();
      // The time of the longest request, and to notice that it has not ended.
      const endMs = this.#startMs + lengthMs + 2_000;
      const isQuiet = (): boolean => this.#open === 0 && clock.nowMs >= this.#startMs + lengthMs;
      await clock.run(isQuiet, endMs);
      await this.#heal();
      this.#stop();
      await clock.run(() => false, clock.nowMs + LAST_MS);
      this.#checkEnd();
    } catch (error) {
      this.#journal.fail(error);
    } finally {
      clock.onStep = () => undefined;
    }
    return {
      requests: this.#sent.length,
      answered: this.#answered,
      hash: this.#journal.hash,
      broken: this.#journal.broken,
      trace: this.#journal.trace,
      counts: this.#journal.counts,
    };
  }

  #prepare(): void {
    const { engines } = this.#fleet;
    if (this.#dns === undefined) this.#fleet.addAll();
    else this.#find(this.#dns);
    for (const [n, { conditions, lie, liesFromMs, liesUntilMs }] of this.#plan.engines.entries()) {
      for (const { fromMs, kind } of conditions.slice(1))
        this.#at(fromMs, () => this.#fleet.setCondition(engines[n]!, kind));
      if (lie === undefined) continue;
      this.#at(liesFromMs, () => (engines[n]!.isLying = true));
      if (liesUntilMs !== Infinity) this.#at(liesUntilMs, () => (engines[n]!.isLying = false));
      engines[n]!.isLying = liesFromMs === 0;
    }
    for (const plan of this.#plan.requests) this.#at(plan.atMs, () => this.#ask(plan));
    for (const { atMs, engine, act } of this.#plan.acts) {
      this.#at(atMs, () => {
        const old = engines[engine]!;
        this.#journal.note(act, old.id);
        if (act === 'READMIT') this.#quarantine.readmit(this.#pool.find(old.id));
        else this.#fleet.replace(engine);
      });
    }
  }

  #find(dns: SimDns): void {
    const [first, ...acts] = this.#plan.dns;
    void dns.start(first!);
    for (const act of acts) {
      this.#at(act.atMs, () => {
        this.#journal.note('dns', String(act.answer), act.dead);
        dns.answer = act;
      });
    }
  }

  #at(ms: number, run: () => void): void {
    clock.at(this.#startMs + ms, () => {
      if (!this.#isHealing) run();
    });
  }

  #ask(plan: RequestPlan): void {
    const data = dataOf(plan.input);
    const controller = new AbortController();
    const startMs = performance.now();
    const leavesMs = plan.leavesAfterMs === undefined ? Infinity : startMs + plan.leavesAfterMs;
    const deadlineMs = startMs + plan.timeoutMs;
    const policy =
      plan.strategy === 'REDUNDANT' ? tighten(forModel(this.#plan.vote, undefined), plan.vote ?? {}, 15) : undefined;
    const endByMs = Math.min(leavesMs, deadlineMs);
    const sent = newAsked({ plan, policy, startMs, controller, number: this.#sent.length, endByMs });
    this.#sent.push(sent);
    this.#ofData.set(data, sent);
    this.#open += 1;
    if (leavesMs < deadlineMs) {
      clock.at(leavesMs, () => {
        if (!sent.isOver) controller.abort(new RouterError('CANCELLED', 'the caller left'));
      });
    }
    const question = {
      ...{ model: '', modelVersion: 0, strategy: plan.strategy, cache: plan.cache, vote: plan.vote },
      input: { field: 'encoding' as const, shape: [2], dtype: 'FP32', data },
      session: plan.session === undefined ? undefined : this.#sessionChecks.request(sent),
    };
    void this.#router.reason(question, { deadlineMs, signal: controller.signal }).then(
      (answer) => this.#journal.guard(() => this.#onAnswer(sent, answer)),
      (error: unknown) => this.#journal.guard(() => this.#onError(sent, error)),
    );
    if (plan.session !== undefined) this.#sessionChecks.sent(sent);
    this.#journal.guard(() => this.#checkBounds());
  }

  /** From now on others are asked which engine is wrong, perhaps only within the time of the request. */
  #onContradicted(data: Uint8Array): void {
    this.#ofData.get(data)!.isDisputed = true;
  }

  #over(sent: SentRequest, reason: string): void {
    sent.isOver = true;
    this.#open -= 1;
    this.#journal.count(reason);
    this.#journal.note('end', sent.number, reason);
    const lateMs = clock.nowMs - sent.endByMs;
    if (lateMs > SLACK_MS) {
      throw new Broken('end', `request ${sent.number} ended ${lateMs.toFixed(2)} ms too late, with ${reason}`);
    }
    const listeners = getEventListeners(sent.controller.signal, 'abort').length;
    // The listeners of a vote or a hedge may exist during a step. At the end of the schedule there may be none.
    if (listeners > 0) this.#journal.count('listenersAtEnd');
  }

  #onError(sent: SentRequest, error: unknown): void {
    if (!(error instanceof RouterError)) throw new Broken('errors', `request ${sent.number}: ${String(error)}`);
    if (error.kind === 'INTERNAL') throw new Broken('errors', `request ${sent.number}: ${String(error.cause)}`);
    this.#over(sent, error.kind);
    if (sent.plan.session !== undefined) this.#sessionChecks.failed(sent, error);
    this.#grey.checkFailure(sent, error);
    const refusal = checkRefusal(this.#plan, sent, error, this.#pool);
    if (refusal !== 'none') this.#journal.count(`refused-${refusal}`);
  }

  #onAnswer(sent: SentRequest, reply: ReasonAnswer): void {
    this.#answered += 1;
    this.#over(sent, `OK ${reply.grade} ${reply.answer.engine.id}`);
    checkAnswer(this.#plan, sent, reply);
    if (sent.plan.session !== undefined) this.#sessionChecks.answered(sent, reply);
  }

  #called(engine: SimEngine, input: InferenceInput, deadlineMs: number): (outcome: string) => void {
    const sent = this.#ofData.get(input.data);
    this.#journal.note('call', engine.id, sent?.number ?? 'probe', input.digestOnly ?? '');
    if (sent === undefined) return this.#attempts.probe(engine.id);
    if (input.state !== undefined) this.#journal.guard(() => this.#sessionChecks.called(sent, input.state!));
    this.#noteAble(sent);
    // It has another time limit than the request, and outside a vote nothing else decides whether a digest is enough.
    const isLater = deadlineMs > sent.startMs + sent.plan.timeoutMs + SLACK_MS;
    const isAudit = isLater || (input.digestOnly !== undefined && (sent.policy === undefined || sent.isDisputed));
    const counted = this.#journal.guard(() =>
      this.#attempts.count(engine, sent, { digestOnly: input.digestOnly, isAudit }),
    );
    const over = this.#journal.guard(() => {
      const pooled = this.#pool.engines.find(({ id }) => id === engine.id);
      return this.#attempts.checkBreaker(engine.id, pooled);
    });
    this.#journal.guard(() => this.#grey.checkOut(engine));
    return (outcome) => {
      over?.();
      this.#grey.noteOutcome(engine, outcome);
      counted?.(outcome);
      this.#journal.note('called', engine.id, sent.number, outcome);
    };
  }

  /** The engines that were available at each call of a request: one that was not available once is skipped. */
  #noteAble({ able, tried }: SentRequest): void {
    const nowMs = performance.now();
    for (const { id, isAvailable, readySinceMs } of this.#pool.engines) {
      if (!isAvailable) able.delete(id);
      else if (tried.size === 0 && readySinceMs < nowMs) able.add(id);
    }
  }

  /** Does the same as services/main.ts, and then checks the result. */
  #onDispute(dispute: Dispute): void {
    const { input, wrong, ballots, verdict, right } = dispute;
    this.#journal.note('dispute', verdict, wrong.join());
    for (const { engineId, outcome } of ballots) {
      const engine = this.#pool.engines.find(({ id }) => id === engineId);
      if (engine === undefined) continue;
      if (wrong.length === 0 && outcome === 'DISSENTED') this.#quarantine.suspect(engine);
      if (!wrong.includes(engineId)) continue;
      this.#quarantined.noteDissent(engine);
      this.#quarantine.dissented(engine, right && { input, ...right });
      this.#journal.guard(() => this.#quarantined.checkDissents(engine));
    }
    const sent = this.#ofData.get(input.data)!;
    sent.isDisputed ||= verdict !== 'MALFORMED' && verdict !== 'CONTRADICTED_ITSELF';
    this.#journal.guard(() => this.#quarantined.checkDispute(sent, dispute));
  }

  #checkBounds(): void {
    if (this.#journal.broken !== undefined) throw this.#journal.broken;
    if (uncaught.length > 0) throw new Broken('errors', `in the background: ${String(uncaught[0])}`);
    checkBounds(this.#bounded);
    this.#grey.checkQueue(this.#admission.waiting);
  }

  /** All engines work from now on: open requests end, and quarantined engines return. */
  async #heal(): Promise<void> {
    const unfinished = this.#sent.filter(({ isOver }) => !isOver);
    if (unfinished.length > 0) {
      throw new Broken('end', `${unfinished.length} requests never ended, among them ${unfinished[0]!.number}`);
    }
    this.#isHealing = true;
    for (const engine of this.#fleet.engines) {
      engine.isLying = false;
      this.#fleet.setCondition(engine, 'WELL');
    }
    for (const engine of this.#everyEngine) engine.finish();
    const isIdle = (): boolean => this.#everyEngine.every(({ inFlight }) => inFlight === 0);
    const isBack = (): boolean => this.#pool.engines.every(({ quarantine }) => quarantine === '');
    await clock.run(() => isIdle() && isBack(), clock.nowMs + HEALING_MS);
    const out = this.#pool.engines.filter(({ quarantine }) => quarantine !== '');
    // Too many lying engines have put wrong answers into it.
    if (out.length > 0 && areFew(this.#plan))
      throw new Broken('back', `"${out[0]!.id}" works and stays in quarantine: ${out[0]!.quarantine}`);
  }

  #stop(): void {
    this.#quarantine.stop();
    this.#sessions.stop();
    this.#dns?.stop();
    for (const { breaker } of this.#pool.engines) breaker.stop();
  }

  #checkEnd(): void {
    this.#checkBounds();
    checkNothingLeft(this.#bounded, this.#everyEngine, this.#sent);
  }
}
