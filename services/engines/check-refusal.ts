// Checks an engine's refusal and words it for the caller. The engine's text is never passed on: the message is built
// from the kind and from facts that are checked here.
import { ERROR_KINDS, type ErrorKind, RouterError } from '../core/errors.ts';
import { publicName } from '../core/held-name.ts';
import type { CallContext, InferenceInput } from '../core/inference.ts';
import { printable } from './printable.ts';

/** How early an engine may report a time-out: clocks differ, and timers are not exact. */
const EARLY_MS = 5;
const EARLY_PART = 0.01;
const MAX_NODE_CHARS = 128;
/** Errors that the router's own engine client detects, before or instead of the engine. */
const OWN_KINDS: ReadonlySet<ErrorKind> = new Set([
  'ENGINE_LOST',
  'ENGINE_FAULT',
  'ENGINE_SLOW',
  'ATTEMPT_TIMEOUT',
  'INPUT_TOO_LARGE',
]);

const CLAIMS: Partial<Record<ErrorKind, string>> = {
  INPUT_LENGTH: 'the input has a different length from the model’s input',
  INPUT_KIND: 'the model takes the other kind of input (constant or series)',
  INPUT_STEPS: 'the input has more steps than a run may have, or none',
  INPUT_NOT_FINITE: 'the input has a number that is not finite',
  INVALID_FIELD: 'the engine does not take a field of the request',
  DETAIL_TOO_LARGE: 'the layers would be more than an answer may have; send fewer steps, or ask for no detail',
  UNKNOWN_MODEL: 'the engine does not hold the model',
  MODEL_INVALID: 'the model cannot be used',
  STATE_INVALID: 'the state is not one that an engine gave; send the state of an earlier answer, unchanged',
  STATE_MODEL: 'the state is of another model; send the state of an earlier answer of this one',
  STATE_TOO_LARGE: 'the state after the run is too large to return; send the whole series at once',
};

/** The error for an answer or a refusal that cannot be correct. `reason`: one of a few fixed texts. */
export function malformed(engineId: string, reason: string, cause?: unknown): RouterError {
  const message = `engine "${engineId}" gave an invalid answer: ${reason}`;
  return new RouterError('ENGINE_FAULT', message, { metadata: { malformed: reason }, cause });
}

/** Converts an engine's rejection to the error that the router uses. `startedMs`: time of the request. */
export function checkRefusal(
  engineId: string,
  thrown: unknown,
  input: InferenceInput,
  { signal, deadlineMs }: CallContext,
  startedMs: number,
): RouterError {
  const error = RouterError.from(thrown);
  const { kind } = error;
  const { fromEngine } = ERROR_KINDS[kind];
  if (fromEngine === 'state' || OWN_KINDS.has(kind)) return error;
  if (fromEngine === 'claim') return toClaim(engineId, error, input);
  // The router itself ended the call, for its own reason.
  if (signal.aborted) return error;
  if (kind === 'DEADLINE_EXCEEDED') {
    const nowMs = performance.now();
    const isOver = nowMs >= deadlineMs - EARLY_MS - EARLY_PART * (deadlineMs - startedMs);
    return isOver ? error : malformed(engineId, 'a time-out before the deadline', error);
  }
  if (kind !== 'INTERNAL') return malformed(engineId, 'a refusal that no engine may give', error);
  const why = printable(thrown instanceof Error ? thrown.message : String(thrown), MAX_NODE_CHARS);
  return new RouterError('ENGINE_FAULT', `engine "${engineId}" failed: ${why}`, { cause: thrown });
}

function toClaim(engineId: string, error: RouterError, { model: held, version }: InferenceInput): RouterError {
  const model = publicName(held);
  const { kind, metadata, recordingId } = error;
  const { step, index } = metadata;
  if (!isCount(step) || !isCount(index)) return malformed(engineId, 'a refusal at an impossible step or node', error);
  const node = metadata['node'] === undefined ? undefined : printable(metadata['node'], MAX_NODE_CHARS);
  const facts = Object.entries({ step, node, index }).filter(([, fact]) => fact !== undefined);
  const where = facts.map(([name, fact]) => `${name} ${name === 'node' ? `"${fact}"` : fact}`).join(', ');
  const what =
    kind === 'NON_FINITE'
      ? `a value of model ${model}/${version} is not finite; check the input's range and the model's weights`
      : `${CLAIMS[kind]} (model ${model}/${version})`;
  const message = where === '' ? what : `${where}: ${what}`;
  return new RouterError(kind, message, { metadata: Object.fromEntries(facts) as Record<string, string>, recordingId });
}

/** Decimal, or missing. */
function isCount(text: string | undefined): boolean {
  return text === undefined || /^\d{1,10}$/.test(text);
}
