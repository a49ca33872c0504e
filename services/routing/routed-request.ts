// One request on the path: its question, its limits, and the results of each stage. A single object, so that it costs
// one allocation. The stage that owns a field sets it, and later stages read it.
import type { CacheKey } from '../cache/answer-cache.ts';
import type { AnswerCache } from '../cache/answer-cache.ts';
import type { CallContext, InferenceInput } from '../core/inference.ts';
import type { CacheStatusName } from '../core/observer.ts';
import type { PooledEngine } from '../engines/pooled-engine.ts';
import type { Session } from '../sessions/session.ts';
import type { StrategyName } from '../strategies/registry.ts';
import type { VotePolicy } from '../voting/policy.ts';
import type { Answer } from './answer.ts';
import type { Attempt } from './attempt.ts';
import type { ReadoutSpec } from './conclusion.ts';
import type { Claim, Execution } from './executor.ts';
import type { Found } from './find-model.ts';
import { type ReasonQuestion, questionHash } from './question.ts';
import type { RouteOptions } from './options.ts';
import type { SessionStatus } from './session-status.ts';

export class RoutedRequest implements Execution<PooledEngine> {
  readonly question: ReasonQuestion;
  /** The options when it arrived. */
  readonly options: RouteOptions;
  /** The caller's limits; for a shared computation, the limits of all its callers. */
  context: CallContext;
  /** Every attempt so far, in the order in which they ended. */
  readonly attempts: Attempt[] = [];
  readonly claims: Claim<PooledEngine>[] = [];

  // Set by resolve.
  found!: Found;
  strategy!: StrategyName;
  /** Undefined: no vote. */
  policy: VotePolicy | undefined;

  // Set by validate.
  /** As engines take it. */
  input!: InferenceInput;

  // Set by cache.
  cacheStatus: CacheStatusName = 'BYPASSED';

  // Set by plan.
  /** Ready engines that hold the model, in pool order. */
  candidates!: readonly PooledEngine[];
  /** The same engines in the order of asking. */
  plan!: readonly PooledEngine[];

  // For a message of a session; undefined for other requests.
  session: Session | undefined;
  /** Called when its answer turns out to be wrong. */
  onWrong: (() => void) | undefined;
  /** The session after it. */
  sessionStatus: SessionStatus | undefined;

  // Set by execute.
  /** Where the input asks for it. */
  endState: Uint8Array | undefined;

  readonly #cache: AnswerCache<Answer> | undefined;
  #hash: bigint | undefined;

  constructor(
    question: ReasonQuestion,
    context: CallContext,
    options: RouteOptions,
    cache: AnswerCache<Answer> | undefined,
  ) {
    this.question = question;
    this.context = context;
    this.options = options;
    this.#cache = cache;
  }

  /** Equal for equal questions. Computed at first use. */
  get hash(): bigint {
    return (this.#hash ??= questionHash(this.found.model.modelId, this.input.data));
  }

  get readout(): ReadoutSpec {
    return this.found.version.readout;
  }

  get latencyQuantileMs(): number | undefined {
    return this.options.latencyQuantile.ofModel(this.found.key);
  }

  /**
   * Everything that the answer depends on. The key includes vote and detail, because a request for a vote or detail
   * must not get a lesser answer.
   */
  get cacheKey(): CacheKey {
    const { found, input, policy } = this;
    const { version, model } = found;
    const grade = policy === undefined ? 'single' : JSON.stringify({ ...policy, mode: undefined });
    const { detail = 'SUMMARY' } = input;
    const scope = `${version.name}/${version.version} ${model.modelId} ${input.shape.join(',')} ${detail} ${grade}`;
    return { scope, hash: this.hash, data: input.data };
  }

  /** Call when the version is found: it stays in use until `end`. */
  begin(found: Found): void {
    this.found = found;
    found.version.use.begin();
  }

  /** Call at the end in any case, even if no version was found. */
  end(): void {
    (this.found as Found | undefined)?.version.use.end();
  }

  /** For background work that continues after the request. Returns a function that ends it. */
  hold(): () => void {
    const { use } = this.found.version;
    use.begin();
    return () => use.end();
  }

  /** The answer is wrong: no other request may get it. */
  forgetAnswer(): void {
    if (this.onWrong !== undefined) this.onWrong();
    else this.#cache?.delete(this.cacheKey);
  }

  contradicted(claims: readonly Claim<PooledEngine>[]): void {
    const { audit } = this.options;
    audit.contradicted(claims, this.candidates, this, () => this.forgetAnswer(), this.policy!.participants);
  }
}
