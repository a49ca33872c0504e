// Checks, at a message's turn, whether it may continue its session. Changes nothing.
import { readStateHeader } from '../core/session-state.ts';
import { sessionOpen, sessionStep, sessionUnknown, stateInvalid } from './errors.ts';
import type { SessionRequest } from './options.ts';
import type { Session } from './session.ts';

/**
 * Throws SESSION_UNKNOWN, SESSION_OPEN, SESSION_STEP or STATE_INVALID. By `expected_step` and `state`, for a session that is
 *
 *                            not open                                 open, at step n
 *   neither                  opened at step 0                         goes on
 *   expected_step 0          opened at step 0                         SESSION_OPEN
 *   expected_step k > 0      SESSION_UNKNOWN                          goes on if k = n, else SESSION_STEP
 *   state of step s          opened at step s                         SESSION_OPEN
 *   state and expected_step  opened at step s if k = s, else          SESSION_OPEN
 *                            SESSION_STEP
 */
export function checkSessionRequest(session: Session, { id, state, expectedStep }: SessionRequest): void {
  if (session.ended !== undefined) throw sessionUnknown(id, session.ended);
  if (session.model !== undefined) {
    if (state.length > 0) throw sessionOpen(session, 'session.state');
    if (expectedStep === 0) throw sessionOpen(session, 'session.expected_step 0');
    if (expectedStep !== undefined && expectedStep !== session.step) throw sessionStep(session, expectedStep);
    return;
  }
  if (state.length === 0) {
    if (expectedStep !== undefined && expectedStep > 0) throw sessionUnknown(id);
    return;
  }
  const header = readStateHeader(state);
  if (header === undefined) throw stateInvalid('its first bytes or its length are not those of one');
  if (expectedStep !== undefined && expectedStep !== header.steps) {
    throw sessionStep({ id, step: header.steps }, expectedStep);
  }
}
