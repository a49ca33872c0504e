// The error of a request that no engine could answer: what was tried, the state of the other engines, what to do. The
// first row that applies:
//
//      every engine that was tried              error
//   1  takes no message as large as the input   INPUT_TOO_LARGE: what is wrong is the input
//   2  is full or stops, one at least is full   ROUTER_FULL: the pool is full, and the caller should slow down
//   3  whatever else                            NO_ENGINE
import { RETRY_AFTER_MS, RouterError } from '../core/errors.ts';
import type { ModelProblem } from '../engines/model-problems.ts';
import type { Attempt } from './attempt.ts';

interface EngineView {
  readonly id: string;
  readonly unavailableReason: string;
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
    .map((engine) => `${engine.id}: ${engine.unavailableReason || modelsOf(engine) || 'not asked'}`)
    .join(', ');
  const metadata = { tried, others };
  const outcomes = new Set(attempts.map(({ outcome }) => outcome));
  if (outcomes.size === 1 && outcomes.has('INPUT_TOO_LARGE')) return tooLarge(attempts, metadata);
  const isFull = outcomes.has('ENGINE_FULL') && attempts.every(({ outcome }) => FULL_OR_STOPPING.has(outcome));
  if (isFull) {
    const message = `every engine is full (${tried}); try again later, or add engines`;
    return new RouterError('ROUTER_FULL', message, { metadata, cause, lack: 'ENGINES' });
  }
  const known = [tried && `tried ${tried}`, others && `others ${others}`].filter((part) => part !== '').join('; ');
  const message = `no engine could answer (${known || 'none is configured'}); try again, or see "npx tandem engines"`;
  return new RouterError('NO_ENGINE', message, { metadata, cause });
}

/** For a router that has just started. */
export function stillReading(name: string, version: number): RouterError {
  const model = `${name}/${version}`;
  const message = `model "${model}" is still being read; try again in ${RETRY_AFTER_MS.NO_ENGINE} ms`;
  return new RouterError('NO_ENGINE', message, { metadata: { model } });
}

/** Which models it cannot serve, and why; empty: there are none. */
function modelsOf({ modelProblems = [] }: EngineView): string {
  return modelProblems.map(({ model, why }) => `${model}: ${why}`).join('; ');
}

const FULL_OR_STOPPING: ReadonlySet<string> = new Set(['ENGINE_FULL', 'DRAINING']);

function tooLarge(attempts: readonly Attempt[], metadata: Readonly<Record<string, string>>): RouterError {
  const limits = attempts.map(({ error }) => Number(error?.metadata['max_message_bytes'] ?? 0));
  const largest = attempts[limits.indexOf(Math.max(...limits))]!.error!;
  const message = `the input is too large for every engine; the largest limit: ${largest.message}`;
  return new RouterError('INPUT_TOO_LARGE', message, {
    metadata: { ...largest.metadata, ...metadata },
    cause: largest,
  });
}
