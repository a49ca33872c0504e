// Errors for messages that cannot continue their session, with what the client can do.
import { RouterError } from '../core/errors.ts';
import type { Ending } from './options.ts';
import type { Session } from './session.ts';

const MIN_RETRY_AFTER_MS = 100;
const START_ANEW = 'send the state that you kept (session.state), or begin again (expected_step 0, or unset)';

const WHY: Readonly<Record<Ending, string>> = {
  CLOSED: 'an earlier message has closed it',
  EXPIRED: 'it was idle for too long',
  OPERATOR: 'an operator has ended it',
  MODEL: 'its model version was unloaded or replaced',
  DISTRUSTED: 'an engine gave a wrong answer in it, as other engines found out later',
  STATE_INVALID: 'the engines refuse its state',
};

/** `ended`: the session ended while the message waited. */
export function sessionUnknown(id: string, ended?: Ending): RouterError {
  const why =
    ended === undefined
      ? 'it has expired or was ended, or the router has restarted since its last message'
      : WHY[ended];
  return new RouterError('SESSION_UNKNOWN', `session "${id}" is not open: ${why}; ${START_ANEW}`, {
    field: 'session.id',
    metadata: { session: id },
  });
}

export function sessionOpen({ id, step }: Session, field: string): RouterError {
  const message = `session "${id}" is open, at step ${step}; go on without ${field}, or choose another id`;
  return new RouterError('SESSION_OPEN', message, { field, metadata: { session: id, step: String(step) } });
}

export function sessionStep({ id, step }: Pick<Session, 'id' | 'step'>, expected: number): RouterError {
  const message =
    `session "${id}" is at step ${step}, and the request expects ${expected}; nothing was computed: ` +
    (step > expected ? 'an earlier message was answered that the client has not counted' : 'an earlier message failed');
  const metadata = { session: id, step: String(step) };
  return new RouterError('SESSION_STEP', message, { field: 'session.expected_step', metadata });
}

/** `why`: text after the session's name. */
export function sessionModel(id: string, why: string): RouterError {
  return new RouterError('SESSION_MODEL', `session "${id}" ${why}`, { field: 'model', metadata: { session: id } });
}

export function sessionLimit(what: string, retryAfterMs?: number): RouterError {
  const message = `${what}; close sessions that are not needed (session.close), or try again later`;
  if (retryAfterMs === undefined) return new RouterError('SESSION_LIMIT', message);
  return new RouterError('SESSION_LIMIT', message, { retryAfterMs: Math.max(MIN_RETRY_AFTER_MS, retryAfterMs) });
}

export function stateInvalid(why: string): RouterError {
  return new RouterError('STATE_INVALID', `session.state is no state: ${why}; send it as an answer gave it`, {
    field: 'session.state',
  });
}

export function stateModel(model: string): RouterError {
  const message = `session.state is not of ${model}; name the model and model_version of the answer that had it`;
  return new RouterError('STATE_MODEL', message, { field: 'session.state' });
}
