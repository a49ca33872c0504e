// What atItsTurn asks for, and what an error does to the session.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { context, question, sessionLimits } from '../../test/fakes/router-parts.ts';
import { type ErrorKind, RouterError } from '../core/errors.ts';
import type { SessionRequest } from '../sessions/options.ts';
import type { Session } from '../sessions/session.ts';
import { SessionStore } from '../sessions/session-store.ts';
import type { ReasonQuestion } from './question.ts';
import type { ReasonAnswer } from './router.ts';
import { atItsTurn } from './session-path.ts';

type Respond = (question: ReasonQuestion, session: Session) => Promise<ReasonAnswer>;

const ANSWER = {} as ReasonAnswer;

let sessions: SessionStore;

/** Sends a message of session "s" to `respond`. */
function send(
  respond: Respond,
  over: Partial<ReasonQuestion> = {},
  session: Partial<SessionRequest> = {},
): Promise<ReasonAnswer> {
  const sent = question({ session: { ...sessionOf('s'), ...session }, ...over });
  return atItsTurn(sessions, sent, context(), respond, (attempt) => attempt());
}

/** Answers with 16 more steps of model m/1. */
const answers: Respond = (_question, session) => {
  const input = { input: new Uint8Array(12), inputSteps: 0, engineId: 'a', spikeCounts: [1, 2] };
  const model = { name: 'm', version: 1, modelId: 7n };
  sessions.commit(session, model, { steps: session.step + 16, state: new Uint8Array(8), ...input });
  return Promise.resolve(ANSWER);
};
const failing =
  (kind: ErrorKind): Respond =>
  () =>
    Promise.reject(new RouterError(kind, 'on purpose'));

/** "answered", or the kind and the message of the error. */
const outcome = (answer: Promise<unknown>): Promise<unknown> =>
  answer.then(
    () => 'answered',
    (thrown: unknown) => {
      const { kind, message } = RouterError.from(thrown);
      return [kind, message];
    },
  );

beforeEach(() => {
  sessions = new SessionStore(sessionLimits());
  sessions.stop();
});

describe('an error in an open session', () => {
  it.each<ErrorKind>(['UNKNOWN_MODEL', 'MODEL_INVALID', 'STATE_MODEL'])('%s ends it, and says why', async (kind) => {
    await send(answers);
    const message = 'session "s" has ended: m/1 is not served any more; begin again';
    expect(await outcome(send(failing(kind)))).toEqual(['SESSION_MODEL', message]);
    expect([sessions.stats.open, sessions.stats.ended.MODEL]).toEqual([0, 1]);
  });

  it('STATE_INVALID ends it, and says why', async () => {
    await send(answers);
    const said = await outcome(send(failing('STATE_INVALID')));
    expect(said).toEqual(['SESSION_UNKNOWN', expect.stringContaining('the engines refuse its state')]);
    expect([sessions.stats.open, sessions.stats.ended.STATE_INVALID]).toEqual([0, 1]);
  });

  it.each<ErrorKind>(['NO_ENGINE', 'NON_FINITE', 'CANCELLED'])('%s leaves it open', async (kind) => {
    await send(answers);
    expect(await outcome(send(failing(kind)))).toEqual([kind, 'on purpose']);
    expect(sessions.stats.open).toBe(1);
    expect(await outcome(send(answers, {}, { expectedStep: 16 }))).toBe('answered');
  });
});

describe('an error in a session that is not open', () => {
  it.each<ErrorKind>(['UNKNOWN_MODEL', 'STATE_INVALID', 'NO_ENGINE'])('%s stays, and removes it', async (kind) => {
    expect(await outcome(send(failing(kind)))).toEqual([kind, 'on purpose']);
    expect([sessions.stats.bytes, sessions.stats.open, sessions.stats.ended.MODEL]).toEqual([0, 0, 0]);
  });

  it('lets the next message open it', async () => {
    const [first, second] = [send(failing('NO_ENGINE')), send(answers)];
    expect([await outcome(first), await outcome(second)]).toEqual([['NO_ENGINE', 'on purpose'], 'answered']);
    expect(sessions.stats.open).toBe(1);
  });
});

describe('a message that waits for its turn', () => {
  it('leaves the session to the others if its caller leaves', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const first = send((...call) => promise.then(() => answers(...call)));
    const caller = context();
    const sent = question({ session: sessionOf('s') });
    const leaving = atItsTurn(sessions, sent, caller, answers, (attempt) => attempt());
    caller.controller.abort(new RouterError('CANCELLED', 'left'));
    expect(await outcome(leaving)).toEqual(['CANCELLED', 'left']);
    resolve(undefined);
    expect(await outcome(first)).toBe('answered');
    expect(await outcome(send(answers, {}, { expectedStep: 16 }))).toBe('answered');
  });
});

describe('the model of a message', () => {
  it.each([
    ['', 0],
    ['m', 0],
    ['', 1],
    ['m', 1],
  ])('"%s" version %d is that of its session', async (model, modelVersion) => {
    await send(answers);
    const sent: unknown[] = [];
    const respond: Respond = (each, session) => {
      sent.push([each.model, each.modelVersion, each.cache]);
      return answers(each, session);
    };
    await send(respond, { model, modelVersion, cache: 'REFRESH' });
    expect(sent).toEqual([['m', 1, 'REFRESH']]);
  });

  it.each([
    ['n', 0],
    ['n', 1],
    ['', 2],
    ['m', 2],
  ])('"%s" version %d is not, and the session goes on', async (model, modelVersion) => {
    await send(answers);
    const message = 'session "s" runs m/1; leave out model and model_version, or choose another id';
    expect(await outcome(send(answers, { model, modelVersion }))).toEqual(['SESSION_MODEL', message]);
    expect(await outcome(send(answers, {}, { expectedStep: 16 }))).toBe('answered');
  });

  it('is what the caller names if the session is not open', async () => {
    const sent: unknown[] = [];
    const respond: Respond = ({ model, modelVersion }, session) => {
      sent.push([model, modelVersion]);
      return answers(question(), session);
    };
    await send(respond, { model: 'n', modelVersion: 3 });
    expect(sent).toEqual([['n', 3]]);
  });
});

describe('a message that is repeated', () => {
  it('is checked again, at the same turn', async () => {
    await send(answers);
    const sent = question({ session: sessionOf('s', 16) });
    const twice = atItsTurn(sessions, sent, context(), answers, async (attempt) => {
      await attempt();
      return await attempt();
    });
    expect(await outcome(twice)).toEqual(['SESSION_STEP', expect.stringContaining('is at step 32')]);
    expect(await outcome(send(answers, {}, { expectedStep: 32 }))).toBe('answered');
  });
});

function sessionOf(id: string, expectedStep?: number): SessionRequest {
  return { id, caller: '', state: new Uint8Array(0), returnState: false, close: false, expectedStep };
}
