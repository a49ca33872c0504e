import * as grpc from '@grpc/grpc-js';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { silent } from '../../test/fakes/fake-parts.ts';
import { RouterError } from '../core/errors.ts';
import { shedding } from './shed.ts';

const full = new RouterError('ROUTER_FULL', 'too little CPU', { retryAfterMs: 100, lack: 'CPU' });
const sendStatus = jest.fn();
const start = jest.fn();
const refusal = jest.fn<(deadlineMs: number) => RouterError | undefined>();
const requestEnded = jest.fn();
const call = { sendStatus, start, getDeadline: () => Date.now() + 2_000 };

/** The call as grpc-js's handler gets it. */
function handled(method: string): typeof call {
  const intercept = shedding({ refusal }, { ...silent, requestEnded }) as unknown as (
    method: { path: string },
    own: typeof call,
  ) => typeof call;
  return intercept({ path: `/tandem.v1.${method}` }, call);
}

beforeEach(() => {
  jest.resetAllMocks();
  refusal.mockReturnValue(full);
});

describe('shedding', () => {
  it.each(['Reason', 'ReasonBatch'])('ends %s at its headers, with a hint, and counts it', (method) => {
    handled(`ReasoningService/${method}`).start();
    expect(sendStatus).toHaveBeenCalledWith(expect.objectContaining({ code: grpc.status.RESOURCE_EXHAUSTED }));
    expect(start).not.toHaveBeenCalled();
    expect(requestEnded).toHaveBeenCalledWith(method, 'ROUTER_FULL', 0, 'CPU');
  });

  it('tells how long the caller waits', () => {
    handled('ReasoningService/Reason');
    expect(refusal.mock.lastCall![0] - performance.now()).toBeGreaterThan(1_900);
  });

  it('leaves a call alone that may go on', () => {
    refusal.mockReturnValue(undefined);
    expect(handled('ReasoningService/Reason')).toBe(call);
    expect(sendStatus).not.toHaveBeenCalled();
  });

  it.each(['ReasoningService/Ping', 'MetricsService/GetMetrics', 'EngineAdminService/ListEngines'])(
    'leaves %s alone, for an operator needs it now',
    (method) => {
      expect(handled(method)).toBe(call);
    },
  );
});
