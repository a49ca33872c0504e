import { describe, expect, it } from '@jest/globals';
import { thrownBy } from '../../test/fakes/call-method.ts';
import type { Fallback } from '../agents/types.ts';
import { EstimateBasis, FallbackReason, Source } from '../generated/tandem/v1/agents.ts';
import { checkTopK, checkWords, toResultFields, toTaskMessage } from './agent-messages.ts';

describe('checkWords', () => {
  it.each(['x', 'xxx', ' x '])('accepts %j, up to the longest text', (text) => {
    expect(() => checkWords('goal', text, 3)).not.toThrow();
  });

  it.each([
    ['', 'goal is blank; send text'],
    [' \n', 'goal is blank; send text'],
    ['xxxx', 'goal has 4 characters; send at most 3'],
  ])('refuses %j', (text, message) => {
    const error = thrownBy(() => checkWords('goal', text, 3));
    expect(error).toMatchObject({ kind: 'INVALID_FIELD', message, violation: { field: 'goal' } });
  });
});

describe('checkTopK', () => {
  it.each([
    [0, 5],
    [1, 1],
    [100, 100],
  ])('makes %d to %d', (topK, used) => {
    expect(checkTopK(topK)).toBe(used);
  });

  it('refuses 101', () => {
    const error = thrownBy(() => checkTopK(101));
    expect(error).toMatchObject({ kind: 'INVALID_FIELD', violation: { field: 'top_k' } });
  });
});

describe('toResultFields', () => {
  const cost = { model: 'x', calls: 1, promptTokens: 2, completionTokens: 3, usd: 0.5, isUpperBound: true };
  const fields = (fallback: Fallback | undefined) => toResultFields({ fallback, cost }, performance.now() - 50);

  it('names the provider as the source of its answer', () => {
    expect(fields(undefined)).toMatchObject({
      ...{ source: Source.SOURCE_PROVIDER, fallbackDetail: '' },
      fallbackReason: FallbackReason.FALLBACK_REASON_UNSPECIFIED,
    });
  });

  it('names the reason why rules answered', () => {
    expect(fields({ reason: 'NO_PROVIDER', detail: 'none is set' })).toMatchObject({
      ...{ source: Source.SOURCE_FALLBACK, fallbackDetail: 'none is set' },
      fallbackReason: FallbackReason.FALLBACK_REASON_NO_PROVIDER,
    });
  });

  it('has the cost and the time since the call arrived', () => {
    const result = fields(undefined);
    expect(result.cost).toEqual({ ...cost, promptTokens: 2n, completionTokens: 3n });
    expect(result.processingTimeMs).toBeGreaterThanOrEqual(50);
    expect(result.processingTimeMs).toBeLessThan(5_000);
  });
});

it('toTaskMessage keeps what a task says', () => {
  const task = { id: '2', title: 'Paint', dependsOn: ['1'], doneWhen: 'it is red' };
  expect(toTaskMessage({ ...task, estimate: { hours: 4, basis: 'STATED' } })).toEqual({
    ...task,
    estimate: { hours: 4, basis: EstimateBasis.ESTIMATE_BASIS_STATED },
  });
});
