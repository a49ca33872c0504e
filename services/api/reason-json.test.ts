import { beforeEach, describe, expect, it } from '@jest/globals';
import { fakeReasoned } from '../../test/fakes/fake-answer.ts';
import { fakeTracing, silent } from '../../test/fakes/fake-parts.ts';
import { loneRouter } from '../../test/fakes/lone-router.ts';
import { RouterError } from '../core/errors.ts';
import type { ReasonQuestion } from '../routing/question.ts';
import type { ReasonAnswer } from '../routing/router.ts';
import { reasonJson } from './reason-json.ts';

let questions: ReasonQuestion[];
let begun: unknown[][];
let counted: string[][];

beforeEach(() => {
  [questions, begun, counted] = [[], [], []];
});

function ask(
  request: unknown,
  answer: () => Promise<ReasonAnswer> = () => Promise.resolve(fakeReasoned()),
): ReturnType<typeof reasonJson> {
  const tracing = fakeTracing();
  const begin: typeof tracing.begin = (...args) => {
    begun.push(args);
    return fakeTracing().begin(...args);
  };
  const router = loneRouter((question) => {
    questions.push(question);
    return answer();
  });
  const context = { deadlineMs: Infinity, signal: new AbortController().signal };
  return reasonJson(request, router, context, {
    ...{ tracing: Object.assign(tracing, { begin }), onInternalError: () => undefined },
    observer: { ...silent, requestEnded: (type, outcome) => void counted.push([type, outcome]) },
  });
}

describe('reasonJson', () => {
  it('answers a ReasonRequest in protobuf’s JSON', async () => {
    expect(await ask({ requestId: 'mine', model: 'm', encoding: [1, 2] })).toMatchObject({
      code: 'OK',
      body: { requestId: 'mine', label: 'wörld', totalSpikes: '303', engine: { engineId: 'engine-1' } },
    });
    expect(questions).toMatchObject([{ model: 'm', input: { shape: [2] } }]);
  });

  it('counts and traces the request under the name of the dashboard, which links to the trace', async () => {
    await ask({ encoding: [1] });
    expect(counted).toEqual([['Dashboard.Reason', 'OK']]);
    expect(begun).toEqual([['Dashboard.Reason', expect.any(Number), '', '', true]]);
  });

  it('returns the error of a request that fails', async () => {
    const error = new RouterError('NO_ENGINE', 'none is ready');
    expect(await ask({ encoding: [1] }, () => Promise.reject(error))).toEqual({
      code: 'UNAVAILABLE',
      body: { code: 14, reason: 'NO_ENGINE', message: 'none is ready', retryAfterMs: 500 },
    });
  });

  it('refuses JSON that is not a ReasonRequest', async () => {
    expect(await ask(null)).toMatchObject({ code: 'INVALID_ARGUMENT', body: { reason: 'INVALID_FIELD' } });
    expect(questions).toEqual([]);
  });

  it('refuses a session', async () => {
    expect(await ask({ encoding: [1], session: { id: 's' } })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      body: { reason: 'INVALID_FIELD', field: 'session' },
    });
  });
});
