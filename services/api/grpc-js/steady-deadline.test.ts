import { afterEach, expect, it, jest } from '@jest/globals';
import type * as grpc from '@grpc/grpc-js';
import { steadyDeadline } from './steady-deadline.ts';
import { remainingMs } from './call.ts';

afterEach(() => void jest.restoreAllMocks());

function received(deadline: number): grpc.ServerInterceptingCallInterface {
  const call = { getDeadline: () => deadline } as unknown as grpc.ServerInterceptingCallInterface;
  return steadyDeadline({} as never, call);
}

it.each([3_600_000, -3_600_000])('steadyDeadline keeps the time left if the clock is set by %i ms', (byMs) => {
  const call = received(Date.now() + 2_000);
  const wallMs = Date.now();
  jest.spyOn(Date, 'now').mockImplementation(() => wallMs + byMs);
  const leftMs = remainingMs(call.getDeadline());
  expect(leftMs).toBeGreaterThan(1_900);
  expect(leftMs).toBeLessThanOrEqual(2_001);
});

it('steadyDeadline keeps a call without a deadline unlimited', () => {
  expect(remainingMs(received(Infinity).getDeadline())).toBe(Infinity);
});
