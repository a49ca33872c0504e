import { describe, expect, it } from '@jest/globals';
import { fakeInference } from '../../test/fakes/fake-engine.ts';
import { fakeExecution, fakeTracing } from '../../test/fakes/fake-parts.ts';
import { RouterError } from '../core/errors.ts';
import type { Inference } from '../core/inference.ts';
import type { OpenSpan } from '../core/request-trace.ts';
import { type EngineClient, attempt } from './attempt.ts';

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

  it('records no error if the attempt was cancelled', async () => {
    const { error } = await spanOf(() => Promise.reject(new RouterError('CANCELLED', 'another engine was faster')));
    expect(error).toBe('');
  });
});
