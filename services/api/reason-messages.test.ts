import { expect, it } from '@jest/globals';
import { RouterError } from '../core/errors.ts';
import { toReasonError } from './reason-messages.ts';

it('toReasonError sets the retry time if the input may be sent again', () => {
  const error = new RouterError('ROUTER_FULL', 'full', { retryAfterMs: 10.5 });
  expect(toReasonError(error)).toMatchObject({ code: 8, reason: 'ROUTER_FULL', retryAfterMs: 11 });
});

it('toReasonError sets no retry time if the input must not be sent again', () => {
  expect(toReasonError(new RouterError('INPUT_LENGTH', 'too short')).retryAfterMs).toBe(0);
});
