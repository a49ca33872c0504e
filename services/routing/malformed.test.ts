import { describe, expect, it } from '@jest/globals';
import { RouterError } from '../core/errors.ts';
import { confirmed, unconfirmed } from './confirmed.ts';
import { malformedDispute, whyAbsent } from './malformed.ts';

const input = { model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) };
const malformed = new RouterError('ENGINE_FAULT', 'bad', { metadata: { malformed: 'too short' } });

describe('malformedDispute', () => {
  it('has the engine as absent and wrong', () => {
    expect(malformedDispute('a', malformed, 17, { input, strategy: 'HEDGED', span: undefined })).toEqual({
      ...{ input, strategy: 'HEDGED', verdict: 'MALFORMED', wrong: ['a'], right: undefined, span: undefined },
      ballots: [
        {
          ...{ engineId: 'a', stateDigest: undefined, readoutDigest: undefined, recordingId: malformed.recordingId },
          ...{ outcome: 'ABSENT', why: 'ENGINE_FAULT: malformed: too short', durationMs: 17 },
        },
      ],
    });
  });

  it('is undefined for other errors', () => {
    const context = { input, strategy: 'HEDGED', span: undefined };
    expect(malformedDispute('a', new RouterError('ENGINE_FAULT', 'crashed'), 1, context)).toBeUndefined();
  });
});

it('whyAbsent is the kind, with the reason of a malformed answer', () => {
  expect([whyAbsent(new RouterError('ENGINE_LOST', 'gone')), whyAbsent(malformed)]).toEqual([
    'ENGINE_LOST',
    'ENGINE_FAULT: malformed: too short',
  ]);
});

describe('a refusal for the caller', () => {
  const cause = new Error('the engine’s');
  const refusal = new RouterError('NON_FINITE', 'overflow', { metadata: { step: '3' }, cause });

  it('names the engines that confirm it', () => {
    const metadata = { step: '3', confirmed_by: 'a, b' };
    expect(confirmed(refusal, ['a', 'b'])).toMatchObject({ kind: 'NON_FINITE', message: 'overflow', metadata, cause });
  });

  it('says that no other engine could be asked', () => {
    expect(unconfirmed(refusal)).toMatchObject({
      ...{ kind: 'NON_FINITE', metadata: { step: '3', unconfirmed: 'true' }, cause },
      message: 'overflow (said by one engine, and no other could be asked)',
    });
  });
});
