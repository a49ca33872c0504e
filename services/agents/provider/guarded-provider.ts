// A provider with a deadline, a breaker, a limit on concurrent calls, and a budget. Counts the cost of each attempt.
import type { AgentObserver, TokenUsage } from '../../core/agent-observer.ts';
import { throwIfCancelled } from '../../core/call.ts';
import { type CancelSignal, sleep } from '../../core/cancel.ts';
import type { OpenSpan } from '../../core/request-trace.ts';
import type { Breaker } from '../../engines/breaker.ts';
import type { Asker } from '../types.ts';
import type { Budget, Reservation } from './budget.ts';
import type { CostTally } from './cost-tally.ts';
import { type Provider, ProviderFailure, type ProviderReply, type ProviderRequest } from './provider.ts';
import { mostTokens } from './token-bound.ts';

export interface GuardOptions {
  /** For all attempts of one call. */
  readonly timeoutMs: number;
  readonly maxRetries: number;
  readonly maxInFlight: number;
}

interface GuardParts {
  readonly provider: Provider;
  readonly breaker: Pick<Breaker, 'allowsRequest' | 'begin' | 'end'>;
  readonly budget: Budget;
  readonly observer: AgentObserver;
}

/**
 * Time reserved for the answer without the provider: a tenth of the caller's time, within these bounds, milliseconds.
 */
const MIN_FALLBACK_MS = 50;
const MAX_FALLBACK_MS = 1_000;
const FALLBACK_SHARE = 0.1;
const FIRST_PAUSE_MS = 100;

export class GuardedProvider {
  readonly #parts: GuardParts;
  readonly #options: GuardOptions;
  #inFlight = 0;

  constructor(parts: GuardParts, options: GuardOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  get model(): string {
    return this.#parts.provider.model;
  }

  /** Throws ProviderFailure, or the reason why the caller is gone. */
  async ask(request: ProviderRequest, asker: Asker, tally: CostTally): Promise<string> {
    const { context } = asker;
    const nowMs = performance.now();
    const ownEndMs = nowMs + this.#options.timeoutMs;
    const endMs = Math.min(ownEndMs, context.deadlineMs - fallbackMs(context.deadlineMs - nowMs));
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#attempt(request, asker, tally, { endMs, isOwn: endMs === ownEndMs });
      } catch (thrown) {
        throwIfCancelled(context);
        if (!(thrown instanceof ProviderFailure)) throw thrown;
        const pauseMs = Math.max(FIRST_PAUSE_MS * 2 ** attempt, thrown.retryAfterMs ?? 0);
        const isLast = attempt >= this.#options.maxRetries || performance.now() + pauseMs >= endMs;
        if (!thrown.isRetryable || isLast) throw thrown;
        await sleep(pauseMs, context.signal);
        throwIfCancelled(context);
      }
    }
  }

  async #attempt(request: ProviderRequest, asker: Asker, tally: CostTally, limit: TimeLimit): Promise<string> {
    const { provider, breaker } = this.#parts;
    if (performance.now() >= limit.endMs) throw outOfTime(limit);
    if (!breaker.allowsRequest) {
      throw new ProviderFailure('BREAKER_OPEN', 'the provider failed often and is not asked for some time');
    }
    if (this.#inFlight >= this.#options.maxInFlight) {
      const { maxInFlight } = this.#options;
      throw new ProviderFailure('BUSY', `${maxInFlight} calls are under way, as many as agents.provider.max_in_flight`);
    }
    const reservation = this.#parts.budget.reserve(asker.caller, mostTokens(request, provider));
    if (typeof reservation === 'string') throw new ProviderFailure('BUDGET', reservation);
    const pass = breaker.begin();
    const span = asker.context.span?.child('provider', 'CLIENT');
    span?.set('gen_ai.request.model', provider.model);
    this.#inFlight += 1;
    try {
      const { content, usage } = await completeWithin(provider, request, asker.context.signal, limit);
      breaker.end(pass, 'success', '');
      this.#settle(asker.caller, reservation, tally, usage, true);
      finish(span, usage, '');
      return content;
    } catch (thrown) {
      const failure = thrown instanceof ProviderFailure ? thrown : undefined;
      breaker.end(pass, outcomeOf(failure, limit), failure?.message ?? 'CANCELLED');
      // If the caller left before the answer, the cost is unknown and the maximum is charged.
      this.#settle(asker.caller, reservation, tally, failure?.usage, failure?.isBilled ?? true);
      finish(span, failure?.usage, failure?.reason ?? 'CANCELLED');
      throw thrown;
    } finally {
      this.#inFlight -= 1;
    }
  }

  #settle(
    caller: string,
    reservation: Reservation,
    tally: CostTally,
    usage: TokenUsage | undefined,
    isBilled: boolean,
  ): void {
    const { budget, observer } = this.#parts;
    const took = usage ?? (isBilled ? reservation.most : NOTHING);
    budget.settle(reservation, took);
    const usd = budget.usdOf(took);
    tally.add(took, usd, usage === undefined && isBilled);
    observer.providerUsed(caller, took, usd);
  }
}

function fallbackMs(leftMs: number): number {
  return Math.min(MAX_FALLBACK_MS, Math.max(MIN_FALLBACK_MS, FALLBACK_SHARE * leftMs));
}

const NOTHING: TokenUsage = { promptTokens: 0, completionTokens: 0 };

interface TimeLimit {
  readonly endMs: number;
  /** The provider timed out, not the caller. */
  readonly isOwn: boolean;
}

function outOfTime({ isOwn }: TimeLimit): ProviderFailure {
  const text = isOwn
    ? 'no answer within agents.provider.timeout_ms'
    : 'no answer in the time that the caller gives; a longer deadline waits longer';
  return new ProviderFailure('TIMEOUT', text, { isBilled: true });
}

/**
 * Failures that count against the provider. An unusable answer does not: the breaker is for a provider that does not
 * answer.
 */
function outcomeOf(failure: ProviderFailure | undefined, { isOwn }: TimeLimit): 'success' | 'failure' | 'ignore' {
  switch (failure?.reason) {
    case 'UNREACHABLE':
    case 'PROVIDER_ERROR':
      return 'failure';
    case 'TIMEOUT':
      return isOwn ? 'failure' : 'ignore';
    case undefined:
      return 'ignore';
    default:
      return 'success';
  }
}

async function completeWithin(
  provider: Provider,
  request: ProviderRequest,
  signal: CancelSignal,
  limit: TimeLimit,
): Promise<ProviderReply> {
  const controller = new AbortController();
  const leave = (): void => controller.abort(signal.reason);
  const timer = setTimeout(() => controller.abort(outOfTime(limit)), limit.endMs - performance.now());
  signal.addEventListener('abort', leave);
  if (signal.aborted) leave();
  try {
    return await provider.complete(request, controller.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', leave);
  }
}

function finish(span: OpenSpan | undefined, usage: TokenUsage | undefined, error: string): void {
  if (usage !== undefined) {
    span?.set('gen_ai.usage.input_tokens', usage.promptTokens);
    span?.set('gen_ai.usage.output_tokens', usage.completionTokens);
  }
  span?.end(error);
}
