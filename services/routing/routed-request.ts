// One request on its path: what it asks, its limits, and what each stage has found out. One object of one class, so that it
// costs one allocation; a field belongs to the stage that sets it, and stages after that one read it.
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
  /** In force when it came. */
  readonly options: RouteOptions;
  /** Its caller's; while it computes for others, too, those of the shared computation. */
  context: CallContext;
  /** Every engine asked so far, in the order in which they ended. */
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
  /** The same in the order of asking. */
  plan!: readonly PooledEngine[];

  // Of a message of a session; undefined of any other request.
  session: Session | undefined;
  /** What to do when its answer turns out to be wrong. */
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

  /** Equal for equal questions. Computed when first asked for. */
  get hash(): bigint {
    return (this.#hash ??= questionHash(this.found.model.modelId, this.input.data));
  }

  get readout(): ReadoutSpec {
    return this.found.version.readout;
  }

  get latencyQuantileMs(): number | undefined {
    const { name, version } = this.found.version;
    return this.options.latencyQuantile.ofModel(`${name}/${version}`);
  }

  /**
   * What an answer depends on. A request that asks for a vote, or for detail, is not content with less of it: the key has
   * both.
   */
  get cacheKey(): CacheKey {
    const { found, input, policy } = this;
    const { version, model } = found;
    const grade = policy === undefined ? 'single' : JSON.stringify({ ...policy, mode: undefined });
    const { detail = 'SUMMARY' } = input;
    const scope = `${version.name}/${version.version} ${model.modelId} ${input.shape.join(',')} ${detail} ${grade}`;
    return { scope, hash: this.hash, data: input.data };
  }

  /** To be called where the version is found: it is not given up before `end`. */
  begin(found: Found): void {
    this.found = found;
    found.version.use.begin();
  }

  /** To be called when it has ended, however it did, also where no version was found. */
  end(): void {
    (this.found as Found | undefined)?.version.use.end();
  }

  /** For work that goes on in the background when the request has ended. Returns what ends it. */
  hold(): () => void {
    const { use } = this.found.version;
    use.begin();
    return () => use.end();
  }

  /** The answer has turned out to be wrong: no other request may get it. */
  forgetAnswer(): void {
    if (this.onWrong !== undefined) this.onWrong();
    else this.#cache?.delete(this.cacheKey);
  }

  contradicted(claims: readonly Claim<PooledEngine>[]): void {
    const { audit } = this.options;
    audit.contradicted(claims, this.candidates, this, () => this.forgetAnswer(), this.policy!.participants);
  }
}
