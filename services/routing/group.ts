// Requests of one caller that arrived together. They pass the stages in router.ts, but several share one plan and go as
// one group to one engine, without a promise for each. So a request costs a fraction of a single one.
//
// A request that needs more than one engine's answer runs alone: a vote, a hedge, layers, an equal question that is
// being computed, a message of a session, and a request that must wait for an engine. If its engine fails or is late, a
// request continues alone with failover.
import type { AnswerCache } from '../cache/answer-cache.ts';
import type { Ending } from '../cache/single-flight.ts';
import { RouterError } from '../core/errors.ts';
import type { CallContext, Inference, InferenceListener } from '../core/inference.ts';
import type { OpenSpan } from '../core/request-trace.ts';
import type { PooledEngine } from '../engines/pooled-engine.ts';
import { HEDGING, type StrategyName, VOTING } from '../strategies/registry.ts';
import type { Answer } from './answer.ts';
import { recordAnswer, recordFailure } from './attempt.ts';
import { AttemptPlan, type NextAttempt } from './attempt-plan.ts';
import type { Outcome } from './executor.ts';
import { Failover, MIN_LATE_MS } from './executors/failover.ts';
import type { Watched } from './late-attempts.ts';
import type { RouteOptions } from './options.ts';
import type { ReasonQuestion } from './question.ts';
import { type ReasonAnswer, toReasonAnswer } from './reason-answer.ts';
import { RoutedRequest } from './routed-request.ts';
import type { Step } from './stage.ts';
import type { FreeOf } from './stages/admit.ts';
import { answerOf, audit } from './stages/execute.ts';

/** One request of a group. */
export interface GroupedItem {
  readonly question: ReasonQuestion;
  /** Undefined: no tracing. */
  readonly span: OpenSpan | undefined;
  /** Called once. */
  ended(said: ReasonAnswer | RouterError): void;
}

interface GroupParts {
  readonly resolve: Step;
  readonly validate: Step;
  readonly answers: AnswerCache<Answer> | undefined;
  readonly free: FreeOf;
  readonly plan: Step;
  /** Requests in flight, of all callers. */
  readonly load: { inFlight: number };
}

/** Maximum requests that one engine gets at once: more would wait there while another engine is idle. */
const MAX_RUN = 16;
/** Strategies with a separate plan for each request, or that ask several engines. */
const PLANNED_ALONE: ReadonlySet<StrategyName> = new Set<StrategyName>(['AFFINITY', ...HEDGING, ...VOTING]);
const NO_BALLOTS: readonly never[] = [];

export class GroupPath {
  readonly #parts: GroupParts;

  constructor(parts: GroupParts) {
    this.#parts = parts;
  }

  /** Returns the requests that must run alone. */
  begin(items: readonly GroupedItem[], context: CallContext, options: RouteOptions): readonly GroupedItem[] {
    const alone: GroupedItem[] = [];
    const batches: Member[][] = [];
    const { deadlineMs, signal } = context;
    for (const item of items) {
      const { span } = item;
      const limits = span === undefined ? context : { deadlineMs, signal, span };
      const member = new Member(item, limits, options, this.#parts);
      if (!this.#isToBeSent(member)) {
        if (!member.hasEnded) this.#goesAlone(member, alone);
        continue;
      }
      const batch = batches.find(([first]) => first!.goesWith(member));
      if (batch === undefined) batches.push([member]);
      else batch.push(member);
    }
    for (const batch of batches) this.#admit(batch, context, alone);
    return alone;
  }

  /** Resolve, validate, cache. False: it has ended, or must run alone. */
  #isToBeSent(member: Member): boolean {
    const { resolve, validate, answers } = this.#parts;
    const { request } = member;
    try {
      resolve(request);
      validate(request);
      const { question, strategy } = request;
      if (PLANNED_ALONE.has(strategy) || request.input.detail !== 'SUMMARY') return false;
      if (answers === undefined || question.cache === 'BYPASS') return true;
      const kept = question.cache === 'USE' ? answers.fresh(request.cacheKey) : undefined;
      if (kept === undefined) return question.cache === 'USE';
      request.cacheStatus = 'HIT';
      member.answer(kept);
    } catch (thrown) {
      member.fail(RouterError.from(thrown));
    }
    return false;
  }

  /** As many as there is capacity for; each of the others waits alone. */
  #admit(batch: readonly Member[], context: CallContext, alone: GroupedItem[]): void {
    const { options, found } = batch[0]!.request;
    const { admission } = options;
    const room = admission.enterUpTo(found.version, this.#parts.free(found.version), batch.length);
    for (let at = 0; at < room; at += 1) batch[at]!.isAdmitted = true;
    const admitted = batch.filter((member) => {
      if (member.isAdmitted && member.lead()) return true;
      this.#goesAlone(member, alone);
      return false;
    });
    for (let at = 0; at < admitted.length;) at += this.#plan(admitted, at, context, alone);
  }

  #goesAlone(member: Member, alone: GroupedItem[]): void {
    member.giveUp();
    alone.push(member.item);
  }

  /** Plans and sends the next requests, from index `at`. Returns how many. */
  #plan(members: readonly Member[], at: number, context: CallContext, alone: GroupedItem[]): number {
    const first = members[at]!;
    let run: readonly Member[] = [first];
    try {
      this.#parts.plan(first.request);
      const spread = Math.min(MAX_RUN, Math.ceil(members.length / first.request.candidates.length));
      const attempts = new AttemptPlan(first.request);
      const next = attempts.next(spread);
      if (next === undefined) throw attempts.exhausted;
      const { engine } = next;
      if (!engine.takesGroups) {
        this.#goesAlone(first, alone);
        return 1;
      }
      // An engine without measurements gets one request.
      const most = engine.expectedMs === 0 ? 1 : spread;
      run = members.slice(at, at + Math.min(most, Math.max(1, engine.availableSlots)));
      for (let k = 1; k < run.length; k += 1) run[k]!.followPlan(first.request);
      new Run(run, next).send(context);
    } catch (thrown) {
      for (const member of run) member.fail(RouterError.from(thrown));
    }
    return run.length;
  }
}

/** One request of a group. */
class Member {
  readonly item: GroupedItem;
  readonly request: RoutedRequest;
  isAdmitted = false;
  hasEnded = false;
  readonly #parts: GroupParts;
  /** Ends the computation that others may have joined. */
  #endFlight: ((ending: Ending<Answer>) => void) | undefined;

  constructor(item: GroupedItem, context: CallContext, options: RouteOptions, parts: GroupParts) {
    this.item = item;
    this.#parts = parts;
    this.request = new RoutedRequest(item.question, context, options, parts.answers);
    parts.load.inFlight += 1;
  }

  goesWith({ request }: Member): boolean {
    return request.found === this.request.found && request.strategy === this.request.strategy;
  }

  /** False: an equal question is being computed. */
  lead(): boolean {
    const { request } = this;
    const { answers } = this.#parts;
    if (answers === undefined || request.question.cache !== 'USE') return true;
    request.cacheStatus = 'MISS';
    this.#endFlight = answers.lead(request.cacheKey, request.context);
    return this.#endFlight !== undefined;
  }

  followPlan({ candidates, plan }: RoutedRequest): void {
    const { request } = this;
    request.candidates = candidates;
    request.plan = plan;
    request.options.observer.planned(request.strategy);
    request.options.budget.deposit();
  }

  /** It runs alone, as if it had not been in the group. */
  giveUp(): void {
    this.#leave(false);
    const why = new RouterError('ROUTER_FULL', 'the request that computed it went another way; try again');
    this.#endFlight?.({ error: why, value: undefined });
  }

  /** Only the first end counts. */
  answer(answer: Answer): void {
    if (this.hasEnded) return;
    const { request, item } = this;
    this.#leave(true);
    this.#endFlight?.({ error: undefined, value: answer });
    const { observer, overload } = request.options;
    const { name, version } = request.found.version;
    observer.cacheUsed(request.cacheStatus);
    observer.answered(name, version);
    overload.recordEnd();
    item.ended(toReasonAnswer(request, answer));
  }

  /** The cached answer is returned instead if that is allowed. */
  fail(error: RouterError): void {
    if (this.hasEnded) return;
    const { request, item } = this;
    const endFlight = this.#endFlight;
    this.#endFlight = undefined;
    endFlight?.({ error, value: undefined });
    const mayHave = endFlight !== undefined && !request.context.signal.aborted;
    const instead = mayHave ? this.#parts.answers?.instead(request.cacheKey, error) : undefined;
    if (instead !== undefined) {
      request.cacheStatus = instead.status;
      this.answer(instead.value);
      return;
    }
    this.#leave(false);
    request.options.overload.recordEnd();
    item.ended(error);
  }

  #leave(isAnswered: boolean): void {
    const { options, found } = this.request;
    this.#parts.load.inFlight -= 1;
    this.request.end();
    if (this.isAdmitted) options.admission.leave(found.version, isAnswered);
    this.hasEnded = true;
  }
}

/** Members of a group that are sent to one engine together. */
class Run implements InferenceListener, Watched {
  checkMs: number;
  readonly #members: readonly Member[];
  readonly #next: NextAttempt<PooledEngine>;
  #unanswered: number;
  /** The requests that continue alone; most runs have none. */
  #alone: Map<Member, Failover<PooledEngine>> | undefined;

  constructor(members: readonly Member[], next: NextAttempt<PooledEngine>) {
    this.#members = members;
    this.#next = next;
    this.#unanswered = members.length;
    this.checkMs = next.startedMs + MIN_LATE_MS;
  }

  send(context: CallContext): void {
    const { engine, timeoutMs } = this.#next;
    const { plan, options } = this.#members[0]!.request;
    const inputs = this.#members.map(({ request }) => request.input);
    if (plan.length > 1) options.lateAttempts.watch(this);
    engine.inferEach(inputs, context, timeoutMs, this);
  }

  get isOver(): boolean {
    return this.#unanswered === 0;
  }

  /** Late: each member that has no answer yet continues alone, and may ask another engine. */
  check(nowMs: number): void {
    this.checkMs = Infinity;
    for (const member of this.#members) {
      if (!member.hasEnded && !this.#alone?.has(member)) this.#continue(member).check(nowMs);
    }
  }

  answered(index: number, inference: Inference): void {
    const member = this.#members[index]!;
    const { engine, startedMs } = this.#next;
    const { request } = member;
    this.#unanswered -= 1;
    recordAnswer(engine, request, this.#span(request), startedMs, inference);
    const alone = this.#alone?.get(member);
    if (alone !== undefined) {
      alone.answered(this.#next, inference);
      return;
    }
    request.claims.push({ engine, said: inference, durationMs: performance.now() - startedMs });
    this.#conclude(member, { engine, inference, grade: 'SINGLE', isFirm: true, ballots: NO_BALLOTS });
  }

  failed(index: number, error: RouterError): void {
    const member = this.#members[index]!;
    const { engine, startedMs } = this.#next;
    const { request } = member;
    this.#unanswered -= 1;
    recordFailure(engine, request, this.#span(request), startedMs, error);
    (this.#alone?.get(member) ?? this.#continue(member)).failed(this.#next, error);
  }

  /** With failover, after the attempt of the group. */
  #continue(member: Member): Failover<PooledEngine> {
    const { request } = member;
    const plan = new AttemptPlan(request);
    plan.begun(this.#next);
    const alone = new Failover(
      plan,
      (outcome) => this.#conclude(member, outcome),
      (error) => {
        audit(request);
        member.fail(error);
      },
    );
    alone.join(this.#next);
    (this.#alone ??= new Map()).set(member, alone);
    return alone;
  }

  /** Never throws: an engine's stream calls it. */
  #conclude(member: Member, outcome: Outcome<PooledEngine>): void {
    const { request } = member;
    let answer: Answer;
    try {
      answer = answerOf(request, outcome, this.#next.startedMs);
    } catch (thrown) {
      member.fail(RouterError.from(thrown));
      return;
    } finally {
      audit(request);
    }
    member.answer(answer);
  }

  #span({ context }: RoutedRequest): OpenSpan | undefined {
    const { engine, startedMs } = this.#next;
    return context.span?.child(`attempt ${engine.id}`, 'CLIENT', startedMs);
  }
}
