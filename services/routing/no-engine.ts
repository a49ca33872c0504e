// The error of a request that no engine could answer: what was tried, how the others are, what to do.
import { RouterError } from '../core/errors.ts';
import type { ModelProblem } from '../engines/model-problems.ts';
import type { Attempt } from './ask.ts';

/** By then an open breaker lets a request through, and a restarted sidecar is back. */
const RETRY_AFTER_MS = 500;

interface EngineView {
  readonly id: string;
  readonly whyNot: string;
  /** Models that it cannot serve. */
  readonly modelProblems?: readonly ModelProblem[];
}

interface PoolView {
  readonly engines: readonly EngineView[];
}

export function noEngine(pool: PoolView, attempts: readonly Attempt[], cause?: RouterError): RouterError {
  const tried = attempts.map(({ engineId, outcome }) => `${engineId}: ${outcome}`).join(', ');
  const untried = pool.engines.filter(({ id }) => !attempts.some(({ engineId }) => engineId === id));
  const others = untried
    .map((engine) => `${engine.id}: ${engine.whyNot || modelsOf(engine) || 'not asked'}`)
    .join(', ');
  const metadata = { tried, others };
  // Where every engine is merely full, that is what the caller should hear, so that it slows down.
  if (attempts.length > 0 && attempts.every(({ outcome }) => outcome === 'ENGINE_FULL')) {
    const message = `every engine is full (${tried}); try again later, or add engines`;
    return new RouterError('ROUTER_FULL', message, { metadata, cause, retryAfterMs: RETRY_AFTER_MS });
  }
  const known = [tried && `tried ${tried}`, others && `others ${others}`].filter((part) => part !== '').join('; ');
  const message = `no engine could answer (${known || 'none is configured'}); try again, or see "npx tandem engines"`;
  return new RouterError('NO_ENGINE', message, { metadata, cause, retryAfterMs: RETRY_AFTER_MS });
}

/** Which models it cannot serve, and why; empty: there are none. */
function modelsOf({ modelProblems = [] }: EngineView): string {
  return modelProblems.map(({ model, why }) => `${model}: ${why}`).join('; ');
}
