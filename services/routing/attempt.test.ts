import { describe, expect, it } from '@jest/globals';
import { fakeInference } from '../../test/fakes/fake-engine.ts';
import { fakeExecution, fakeTracing, silent } from '../../test/fakes/fake-parts.ts';
import { HandDriven } from '../../test/fakes/hand-driven.ts';
import { type ErrorKind, RouterError } from '../core/errors.ts';
import type { CallContext, Inference } from '../core/inference.ts';
import type { OpenSpan } from '../core/request-trace.ts';
import type { Work } from '../core/work.ts';
import { type Attempt, type EngineClient, attempt, isFinal, isUncounted } from './attempt.ts';
import type { Dispute } from './dispute.ts';

/** Returns the span of one attempt on an engine that runs `infer`. */
async function spanOf(infer: () => Promise<Inference>): Promise<OpenSpan> {
  const engine: EngineClient = {
    ...{ id: 'a', kind: 'sidecar', isAvailable: true, unavailableReason: '', availableSlots: 1 },
    ...{ attemptMs: () => 1_000, answersWithin: () => false, isSilent: () => true, infer },
  };
  const { root, trace } = openTrace();
  const request = fakeExecution([engine], new AbortController().signal);
  await attempt(engine, { ...request, context: { ...request.context, span: root } }).catch(() => undefined);
  return trace.spans[0]!;
}

function openTrace(): { root: OpenSpan; trace: OpenSpan['trace'] } {
  const trace = fakeTracing().begin('test', 0, '', '');
  return { root: trace.root, trace };
}

describe('the span of an attempt', () => {
  it('records the engine, its answer and its times', async () => {
    const { name, attributes, error } = await spanOf(() => Promise.resolve(fakeInference({ stateDigest: 7n })));
    expect([name, error]).toEqual(['attempt a', '']);
    expect(attributes).toEqual([
      ...['tandem.engine', 'a', 'tandem.engine_kind', 'sidecar', 'tandem.outcome', 'OK'],
      ...['tandem.digest', 7n, 'tandem.queue_us', 1, 'tandem.compute_us', 2],
    ]);
  });

  it('records the engine and its error if it fails', async () => {
    const { attributes, error } = await spanOf(() => Promise.reject(new RouterError('ENGINE_LOST', 'it is gone')));
    expect(error).toBe('ENGINE_LOST');
    expect(attributes).toEqual([
      ...['tandem.engine', 'a', 'tandem.engine_kind', 'sidecar', 'tandem.outcome', 'ENGINE_LOST'],
    ]);
  });

  it('is what the engine gets, with the limits of the request', async () => {
    const engine = new HandDriven('a');
    const given: CallContext[] = [];
    engine.infer = (_input, limits) => {
      given.push(limits);
      return Promise.resolve(fakeInference());
    };
    const { root, trace } = openTrace();
    const request = fakeExecution([engine], new AbortController().signal);
    const context = { ...request.context, deadlineMs: 1e9 };
    await attempt(engine, { ...request, context: { ...context, span: root } });
    await attempt(engine, { ...request, context });
    expect(given).toEqual([{ ...context, span: trace.spans[0] }, context]);
    expect(given[1]).toBe(context);
  });

  it('records no error if the attempt was cancelled', async () => {
    const { error } = await spanOf(() => Promise.reject(new RouterError('CANCELLED', 'another engine was faster')));
    expect(error).toBe('');
  });
});

describe('the record of an attempt', () => {
  const counted: unknown[] = [];
  const observer = {
    ...silent,
    attemptEnded: (id: string, outcome: string) => void counted.push([id, outcome]),
    computed: (model: string, version: number, work: Work) => void counted.push([model, version, work.totalSpikes]),
  };
  const disputes: Dispute[] = [];

  /** Returns the record of one attempt on an engine that runs `infer`. */
  async function recordOf(infer: () => Promise<Inference>): Promise<Attempt> {
    counted.length = disputes.length = 0;
    const engine = Object.assign(new HandDriven('a'), { infer });
    const onDispute = (dispute: Dispute): void => void disputes.push(dispute);
    const request = fakeExecution([engine], new AbortController().signal, { observer, onDispute });
    const input = { ...request.input, model: 'm@0000000000000007.1' };
    await attempt(engine, { ...request, input }).catch(() => undefined);
    expect(request.attempts).toHaveLength(1);
    return request.attempts[0]!;
  }

  it('has the engine’s work, which is counted for the model', async () => {
    const { engineId, outcome, work, error } = await recordOf(() => Promise.resolve(fakeInference()));
    expect([engineId, outcome, work?.totalSpikes, error]).toEqual(['a', 'OK', 4n, undefined]);
    expect(counted).toEqual([
      ['a', 'OK'],
      ['m', 1, 4n],
    ]);
  });

  it('has the error, and no work, if it fails', async () => {
    const lost = new RouterError('ENGINE_LOST', 'gone');
    const { outcome, work, error } = await recordOf(() => Promise.reject(lost));
    expect([outcome, work, error, counted, disputes]).toEqual([
      'ENGINE_LOST',
      undefined,
      lost,
      [['a', 'ENGINE_LOST']],
      [],
    ]);
  });

  it('reports a malformed answer', async () => {
    const metadata = { malformed: 'a potential that is not finite' };
    await recordOf(() => Promise.reject(new RouterError('ENGINE_FAULT', 'malformed', { metadata })));
    expect(disputes).toMatchObject([{ strategy: 'TEST', verdict: 'MALFORMED', wrong: ['a'], right: undefined }]);
    expect(disputes[0]!.ballots).toMatchObject([
      { engineId: 'a', outcome: 'ABSENT', why: `ENGINE_FAULT: malformed: ${metadata.malformed}` },
    ]);
  });
});

describe('isFinal', () => {
  const signal = new AbortController().signal;
  const gone = AbortSignal.abort(new RouterError('CANCELLED', 'left'));

  it.each<[string, ErrorKind, CallContext, boolean]>([
    ['another engine may do better', 'ENGINE_LOST', { deadlineMs: Infinity, signal }, false],
    ['no engine can', 'NON_FINITE', { deadlineMs: Infinity, signal }, true],
    ['the caller has left', 'ENGINE_LOST', { deadlineMs: Infinity, signal: gone }, true],
    ['its time is over', 'ENGINE_LOST', { deadlineMs: 0, signal }, true],
  ])('if %s (%s)', (_, kind, context, is) => {
    expect(isFinal(new RouterError(kind, 'on purpose'), context)).toBe(is);
  });
});

describe('isUncounted', () => {
  const left = (availableSlots: number, isAvailable = true): { availableSlots: number; isAvailable: boolean } => ({
    availableSlots,
    isAvailable,
  });

  it.each<[ErrorKind, ReturnType<typeof left>[], boolean]>([
    ['DRAINING', [], true],
    ['INPUT_TOO_LARGE', [], true],
    ['ENGINE_LOST', [left(1)], false],
    ['ENGINE_FULL', [], false],
    ['ENGINE_FULL', [left(0)], false],
    ['ENGINE_FULL', [left(1, false)], false],
    ['ENGINE_FULL', [left(0), left(1)], true],
  ])('%s with %j left: %s', (kind, engines, is) => {
    expect(isUncounted(new RouterError(kind, 'on purpose'), engines)).toBe(is);
  });
});
