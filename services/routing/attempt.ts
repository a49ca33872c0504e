// Failover: ask the engines of a plan one after the other until one answers.
import { RouterError } from '../core/errors.ts';
import type { CallContext, Inference, InferenceInput } from '../core/inference.ts';

export interface Attempt {
  readonly engineId: string;
  /** "OK", or the kind of the failure. */
  readonly outcome: string;
  readonly durationMs: number;
}

/** The least that an attempt needs of an engine. */
export interface Attemptable {
  readonly id: string;
  infer(input: InferenceInput, context: CallContext): Promise<Inference>;
}

export interface AttemptResult<E> {
  readonly inference: Inference;
  readonly engine: E;
  /** In order; the last one answered. */
  readonly attempts: readonly Attempt[];
}

/** Rejects with the engine's own error where another engine would not do better, else with NO_ENGINE. */
export async function attemptInTurn<E extends Attemptable>(
  plan: readonly E[],
  input: InferenceInput,
  context: CallContext,
): Promise<AttemptResult<E>> {
  const attempts: Attempt[] = [];
  let last: RouterError | undefined;
  for (const engine of plan) {
    const startedMs = performance.now();
    const done = (outcome: string): void => {
      attempts.push({ engineId: engine.id, outcome, durationMs: performance.now() - startedMs });
    };
    try {
      const inference = await engine.infer(input, context);
      done('OK');
      return { inference, engine, attempts };
    } catch (thrown) {
      last = RouterError.from(thrown);
      done(last.kind);
      if (!last.retryable || context.signal.aborted || performance.now() >= context.deadlineMs) throw last;
    }
  }
  throw noEngine(attempts, last);
}

function noEngine(attempts: readonly Attempt[], last: RouterError | undefined): RouterError {
  const tried = attempts.map(({ engineId, outcome }) => `${engineId}: ${outcome}`).join(', ');
  // Where every engine is merely full, that is what the caller should hear, so that it slows down.
  const full = attempts.length > 0 && attempts.every(({ outcome }) => outcome === 'ENGINE_FULL');
  const message = full
    ? `every engine is full (${tried}); try again later, or add engines`
    : `no engine could answer (tried ${tried}); try again, or see "npx tandem engines"`;
  return new RouterError(full ? 'ROUTER_FULL' : 'NO_ENGINE', message, { metadata: { tried }, cause: last });
}
