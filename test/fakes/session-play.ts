// A router with one model whose messages are of one session.
import { SessionStore } from '../../services/sessions/session-store.ts';
import type { SessionOptions, SessionRequest } from '../../services/sessions/options.ts';
import type { RouterOptions } from '../../services/routing/options.ts';
import type { ReasonQuestion } from '../../services/routing/question.ts';
import type { ReasonAnswer, Router } from '../../services/routing/router.ts';
import { type FakeEngine, fakePinsOf } from './fake-engine.ts';
import { build, context, question, sessionLimits, version } from './router-parts.ts';

export interface Play {
  readonly router: Router;
  readonly sessions: SessionStore;
  /** Sends one message of session "s". */
  send(session?: Partial<SessionRequest>, over?: Partial<ReasonQuestion>): Promise<ReasonAnswer>;
}

const SERIES = { inputKind: 'series' as const };

export function play(
  engines: FakeEngine[],
  limits: Partial<SessionOptions> = {},
  over: Partial<RouterOptions> = {},
  isSeries = false,
): Play {
  const sessions = new SessionStore(sessionLimits(limits));
  sessions.stop();
  const versions = isSeries ? [version(1, SERIES)] : [version(1), version(2)];
  const pins = fakePinsOf({ inputSize: 3, ...(isSeries ? SERIES : {}) });
  const router = build(engines, versions, over, 1e6, pins, sessions);
  const none = { caller: '', state: new Uint8Array(0), returnState: false, close: false, expectedStep: undefined };
  const send: Play['send'] = (session = {}, request = {}) =>
    router.reason(question({ session: { id: 's', ...none, ...session }, ...request }), context());
  return { router, sessions, send };
}

/** Returns an input with these steps of three elements each. */
export function series(...steps: number[]): Pick<ReasonQuestion, 'input'> {
  const data = Buffer.from(new Float32Array(steps.flatMap((value) => [value, 0, 0])).buffer);
  return { input: { field: 'tensor', shape: [steps.length, 3], dtype: 'FP32', data } };
}
