import { describe, expect, it } from '@jest/globals';
import { stateOf } from '../../test/fakes/stateful-engine.ts';
import { RouterError } from '../core/errors.ts';
import { checkSessionRequest } from './check-request.ts';
import type { SessionRequest } from './options.ts';
import { Session } from './session.ts';

const STATE = stateOf({ steps: 32, sum: 5 });

function sessionAt(step: number): Session {
  const session = new Session('', 's', 1, 0);
  if (step > 0) session.model = { name: 'm', version: 1, modelId: 7n };
  session.step = step;
  return session;
}

function check(session: Session, over: Partial<SessionRequest>): string {
  const request = { caller: '', id: 's', state: new Uint8Array(0), returnState: false, close: false };
  try {
    checkSessionRequest(session, { ...request, expectedStep: undefined, ...over });
  } catch (error) {
    if (error instanceof RouterError) return error.kind;
  }
  return 'OK';
}

describe('checkSessionRequest, if the session is not open,', () => {
  it.each([
    ['neither state nor step', {}, 'OK'],
    ['step 0', { expectedStep: 0 }, 'OK'],
    ['a step', { expectedStep: 16 }, 'SESSION_UNKNOWN'],
    ['a state', { state: STATE }, 'OK'],
    ['a state and its step', { state: STATE, expectedStep: 32 }, 'OK'],
    ['a state and another step', { state: STATE, expectedStep: 16 }, 'SESSION_STEP'],
    ['an invalid state', { state: Buffer.from('TST1 and no more') }, 'STATE_INVALID'],
    ['a truncated state', { state: STATE.subarray(0, STATE.length - 1) }, 'STATE_INVALID'],
    ['a state of no steps', { state: stateOf({ steps: 0, sum: 0 }) }, 'STATE_INVALID'],
  ] as const)('checks a request with %s', (_, request, expected) => {
    expect(check(sessionAt(0), request)).toBe(expected);
  });
});

describe('checkSessionRequest, if the session is at step 16,', () => {
  it.each([
    ['neither state nor step', {}, 'OK'],
    ['step 0', { expectedStep: 0 }, 'SESSION_OPEN'],
    ['its step', { expectedStep: 16 }, 'OK'],
    ['another step', { expectedStep: 32 }, 'SESSION_STEP'],
    ['a state', { state: STATE }, 'SESSION_OPEN'],
  ] as const)('checks a request with %s', (_, request, expected) => {
    expect(check(sessionAt(16), request)).toBe(expected);
  });

  it('refuses a message if the session ended while it waited', () => {
    const session = sessionAt(16);
    session.ended = 'OPERATOR';
    expect(check(session, {})).toBe('SESSION_UNKNOWN');
  });
});
