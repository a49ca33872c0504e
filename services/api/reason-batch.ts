// Runs the items of one ReasonBatch: a few at a time, so that other callers do not wait long, with a limit on items in
// flight.
import { callerName } from '../auth/caller-account.ts';
import type { Turns } from '../core/turns.ts';
import type { ReasonQuestion } from '../routing/question.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { LayerBudget } from './layer-budget.ts';
import type { ItemOutcome } from './reason-encoder.ts';
import { type ItemOptions, type ItemRouter, reasonItems } from './reason-item.ts';
import { beginTrace } from './traced.ts';
import type { UnaryContext } from './unary.ts';

export interface BatchOptions extends Omit<ItemOptions, 'begin' | 'adjust' | 'accept' | 'caller'> {
  /** Maximum items in flight. */
  readonly windowSize: number;
  readonly tracing: Tracing;
  readonly turns: Turns;
  /** The name of items in traces. Unset: `type`. */
  readonly traceName?: string;
}

/** Items started together. */
const CHUNK = 32;

/** In the order of the requests. */
export async function reasonBatch(
  requests: readonly Uint8Array[],
  router: ItemRouter,
  context: UnaryContext,
  { turns, windowSize, traceName, ...options }: BatchOptions,
): Promise<ItemOutcome[]> {
  const outcomes: ItemOutcome[] = Array.from({ length: requests.length });
  const room = new LayerBudget();
  const tracedAs = traceName ?? options.type;
  const item: ItemOptions = {
    ...options,
    caller: () => callerName(context.owner),
    begin: (startedMs) => beginTrace(options.tracing, tracedAs, context.metadata, startedMs, context.owner),
    adjust: spreadBySpeed,
    accept: ({ answer }) => room.take(answer.inference),
  };
  let begun = 0;
  let ended = 0;
  let wake = (): void => undefined;
  const untilBelow = async (open: number): Promise<void> => {
    while (begun - ended > open) await new Promise<void>((resolve) => (wake = resolve));
  };
  while (begun < requests.length) {
    await untilBelow(windowSize - 1);
    await turns.next(context.owner);
    const first = begun;
    const chunk = requests.slice(first, first + Math.min(CHUNK, windowSize - (begun - ended)));
    begun += chunk.length;
    reasonItems(chunk, router, context, item, (index, { outcome }) => {
      outcomes[first + index] = outcome;
      ended += 1;
      wake();
    });
  }
  await untilBelow(0);
  return outcomes;
}

/** Items without a strategy go to the engines that should answer first. */
function spreadBySpeed(question: ReasonQuestion): ReasonQuestion {
  return question.strategy === undefined ? { ...question, strategy: 'FASTEST' } : question;
}
