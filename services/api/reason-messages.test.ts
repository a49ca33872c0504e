import { expect, it } from '@jest/globals';
import { RouterError } from '../core/errors.ts';
import { toReasonError } from './reason-messages.ts';

it('the error of one input names the time after which it may be sent again', () => {
  const error = new RouterError('ROUTER_FULL', 'full', { retryAfterMs: 10.5 });
  expect(toReasonError(error)).toMatchObject({ code: 8, reason: 'ROUTER_FULL', retryAfterMs: 11 });
});

it('the error of one input that must not be sent again names no time', () => {
  expect(toReasonError(new RouterError('INPUT_LENGTH', 'too short')).retryAfterMs).toBe(0);
});
