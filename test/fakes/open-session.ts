// Opens sessions in a store, without a router.
import { Call } from '../../services/core/call.ts';
import type { SessionRequest } from '../../services/sessions/options.ts';
import type { Session } from '../../services/sessions/session.ts';
import type { SessionStore } from '../../services/sessions/session-store.ts';
import { stateOf } from './stateful-engine.ts';

export const SESSION_MODEL = { name: 'm', version: 1, modelId: 7n };
export const SESSION_STATE = stateOf({ steps: 16, sum: 1 });

export function sessionRequest(id: string, caller = ''): SessionRequest {
  const none = { state: new Uint8Array(0), returnState: false, close: false, expectedStep: undefined };
  return { caller, id, ...none };
}

/** Sends one message of 16 steps and answers it. */
export function openSession(store: SessionStore, id: string, caller = '', state: Uint8Array = SESSION_STATE): Session {
  const session = store.enter(sessionRequest(id, caller));
  void store.takeTurn(session, new Call(Infinity));
  try {
    const step = { steps: session.step + 16, state, input: new Uint8Array(12), inputSteps: 0 };
    store.commit(session, SESSION_MODEL, { ...step, engineId: 'e1', spikeCounts: [] });
  } finally {
    store.leave(session);
  }
  return session;
}
