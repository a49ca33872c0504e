// In session: the run starts from the session's state, and the answer's state becomes the session's. Only an answer
// changes the session; a failed message is retried, here or by the client, from the same state.
import { RouterError } from '../../core/errors.ts';
import type { InferenceInput } from '../../core/inference.ts';
import { readStateHeader } from '../../core/session-state.ts';
import { sessionModel, stateModel } from '../../sessions/errors.ts';
import type { SessionRequest } from '../../sessions/options.ts';
import type { Session } from '../../sessions/session.ts';
import type { SessionStore } from '../../sessions/session-store.ts';
import type { Answer } from '../answer.ts';
import { RoutedRequest } from '../routed-request.ts';
import type { Next, Stage } from '../stage.ts';

/** As in proto/NUMERICS.md, "Limits". */
const MAX_STEPS = 100_000;

/** Run at the message's turn. Throws SESSION_MODEL, STATE_MODEL or SESSION_LIMIT. */
export function inSession(sessions: SessionStore): Stage {
  return async (request, next) => {
    const session = request.session!;
    const { found, question, input } = request;
    const wanted = question.session!;
    const isNew = session.model === undefined;
    checkModel(request, session, wanted, sessions);
    const inputSteps = found.input.kind === 'series' ? input.shape[0]! : 0;
    if (session.inputs.length > 0 && !goesWithInputs(session, input, inputSteps)) {
      await compact(request, session, sessions, next);
    }
    const wantsState =
      found.input.kind === 'constant' ||
      wanted.returnState ||
      session.wantsState(inputSteps, input.data.length, sessions.options) ||
      !sessions.hasRoomForInputs(input.data.length);
    const from = isNew ? wanted.state : session.state;
    request.input = { ...withInputs(input, session), state: from, returnState: wantsState };
    const answer = await answerIn(session, sessions, request, next);
    const state = wantsState ? stateOf(request) : undefined;
    const { name, version } = found.version;
    const { steps, spikeCounts } = answer.inference;
    sessions.commit(
      session,
      { name, version, modelId: found.model.modelId },
      { steps, state, input: input.data, inputSteps, engineId: answer.engine.id, spikeCounts },
    );
    const returned = wanted.returnState ? state : undefined;
    request.sessionStatus = { id: wanted.id, step: steps, state: returned, opened: isNew };
    if (wanted.close) sessions.end(session, 'CLOSED');
    return answer;
  };
}

/** A wrong answer ends the session, unless the message failed: then it changed nothing, and the next one has the turn. */
async function answerIn(session: Session, sessions: SessionStore, request: RoutedRequest, next: Next): Promise<Answer> {
  request.onWrong = () => sessions.end(session, 'DISTRUSTED');
  try {
    return await next(request);
  } catch (thrown) {
    request.onWrong = () => undefined;
    throw thrown;
  }
}

function checkModel(
  { found }: RoutedRequest,
  session: Session,
  { id, state }: SessionRequest,
  sessions: SessionStore,
): void {
  const { modelId } = found.model;
  if (session.model !== undefined) {
    if (session.model.modelId === modelId) return;
    sessions.end(session, 'MODEL');
    throw sessionModel(
      id,
      `has ended: ${found.key} was replaced by a model with other weights or settings; begin again`,
    );
  }
  const header = readStateHeader(state);
  if (header !== undefined && header.modelId !== modelId) throw stateModel(found.key);
}

/** Whether it may be computed in one run with the inputs before it. Then `layers` would cover all of them. */
function goesWithInputs({ inputSteps }: Session, { detail = 'SUMMARY' }: InferenceInput, steps: number): boolean {
  return detail === 'SUMMARY' && inputSteps + steps <= MAX_STEPS;
}

/** The same session with a current state and no separate inputs. */
async function compact(request: RoutedRequest, session: Session, sessions: SessionStore, next: Next): Promise<void> {
  const { question, context, options, found, strategy, policy, input } = request;
  const first = new RoutedRequest(question, context, options, undefined);
  Object.assign(first, { found, strategy, policy, session });
  const none = { ...input, shape: [0, ...input.shape.slice(1)], data: new Uint8Array(0), detail: 'SUMMARY' as const };
  first.input = { ...withInputs(none, session), state: session.state, returnState: true };
  try {
    await answerIn(session, sessions, first, next);
  } finally {
    request.attempts.push(...first.attempts);
  }
  sessions.compact(session, stateOf(first));
}

function withInputs(input: InferenceInput, { inputs, inputSteps }: Session): InferenceInput {
  if (inputs.length === 0) return input;
  const shape = [inputSteps + input.shape[0]!, ...input.shape.slice(1)];
  return { ...input, shape, data: Buffer.concat([...inputs, input.data]) };
}

function stateOf({ endState }: RoutedRequest): Uint8Array {
  if (endState === undefined)
    throw new RouterError('INTERNAL', 'internal error', { cause: 'an answer without its state' });
  return endState;
}
