// Runs a message of a session at its turn, and handles the effect of errors on the session.
import { RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';
import { checkSessionRequest } from '../sessions/check-request.ts';
import { sessionModel, sessionUnknown } from '../sessions/errors.ts';
import type { Session } from '../sessions/session.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import type { ReasonQuestion } from './question.ts';
import type { ReasonAnswer } from './reason-answer.ts';

/** Makes one attempt to answer it. */
export type Attempt = () => Promise<ReasonAnswer>;

/**
 * Runs `answer` at this message's turn. `repeat` may retry, since no other message has the turn meanwhile. Rejects with
 * RouterError only.
 */
export async function atItsTurn(
  sessions: SessionStore,
  question: ReasonQuestion,
  context: CallContext,
  answer: (question: ReasonQuestion, session: Session) => Promise<ReasonAnswer>,
  repeat: (attempt: Attempt) => Promise<ReasonAnswer>,
): Promise<ReasonAnswer> {
  const wanted = question.session!;
  const session = sessions.enter(wanted);
  const turn = sessions.takeTurn(session, context);
  if (turn !== undefined) await turn;
  try {
    return await repeat(async () => {
      checkSessionRequest(session, wanted);
      try {
        return await answer(ofItsModel(question, session), session);
      } catch (thrown) {
        throw inItsSession(RouterError.from(thrown), session, sessions);
      }
    });
  } finally {
    sessions.leave(session);
  }
}

/** Selects the session's model version. Throws SESSION_MODEL. */
function ofItsModel(question: ReasonQuestion, { id, model }: Session): ReasonQuestion {
  if (model === undefined) return question;
  const { name, version } = model;
  const isSame = ['', name].includes(question.model) && [0, version].includes(question.modelVersion);
  if (isSame) return { ...question, model: name, modelVersion: version };
  throw sessionModel(id, `runs ${name}/${version}; leave out model and model_version, or choose another id`);
}

/** The effect of an error on its session. */
function inItsSession(error: RouterError, session: Session, sessions: SessionStore): RouterError {
  const { model, id } = session;
  if (model === undefined) return error;
  switch (error.kind) {
    case 'UNKNOWN_MODEL':
    case 'MODEL_INVALID':
    case 'STATE_MODEL':
      sessions.end(session, 'MODEL');
      return sessionModel(id, `has ended: ${model.name}/${model.version} is not served any more; begin again`);
    case 'STATE_INVALID':
      sessions.end(session, 'STATE_INVALID');
      return sessionUnknown(id, 'STATE_INVALID');
    default:
      return error;
  }
}
