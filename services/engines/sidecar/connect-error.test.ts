import * as grpc from '@grpc/grpc-js';
import { describe, expect, it } from '@jest/globals';
import { whyLost, whyNotConnected } from './connect-error.ts';

/** As grpc-js 1.14 words them. */
function failure(code: grpc.status, details: string): Error {
  return Object.assign(new Error(`${code} ${grpc.status[code]}: ${details}`), { code, details });
}

const { DEADLINE_EXCEEDED, UNAVAILABLE, UNIMPLEMENTED } = grpc.status;
const LOST = 'No connection established. Last error: ';
const AT = '(2026-11-28T08:59:27.409Z). Resolution note: ';

describe('what an operator reads of an engine that cannot be connected to', () => {
  it.each([
    [
      'a black hole',
      failure(DEADLINE_EXCEEDED, 'Deadline exceeded after 2.001s,name resolution: 0.028s,Waiting for LB pick'),
      'unreachable: no connection within 2000 ms; check its address, the network and firewalls, and whether its process is stopped',
    ],
    [
      'a stopped process',
      failure(DEADLINE_EXCEEDED, 'Deadline exceeded after 2.001s,LB pick: 0.004s,remote_addr=127.0.0.1:50061'),
      'connected, but it did not say within 2000 ms what it is; its process may be stopped or overloaded',
    ],
    [
      'a port where nothing listens',
      failure(UNAVAILABLE, `${LOST}Error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: `),
      'unreachable: connect ECONNREFUSED 127.0.0.1:1',
    ],
    [
      'a web server',
      failure(UNAVAILABLE, `${LOST}Protocol error ${AT}`),
      'not an engine: what listens at this address speaks no gRPC; check the address',
    ],
    [
      'a port that closes its connections',
      failure(UNAVAILABLE, `${LOST}Failed to connect ${AT}`),
      'unreachable: what listens at this address closes every connection',
    ],
    [
      'a name without an address',
      failure(UNAVAILABLE, 'Name resolution failed for target dns:nosuch.invalid:50061'),
      'unreachable: its name has no address (Name resolution failed for target dns:nosuch.invalid:50061)',
    ],
    [
      'another gRPC service',
      failure(UNIMPLEMENTED, 'The server does not implement the method /tandem.engine.v1.EngineService/Describe'),
      'not an engine: something else answers at this address (The server does not implement the method /tandem.engine.v1.EngineService/Describe); check the address',
    ],
  ])('%s', (_what, error, text) => {
    expect(whyNotConnected(error, 2_000).message).toBe(text);
  });

  it('is the same text at every attempt', () => {
    const [first, second] = ['2.001s,name resolution: 0.028s', '2.004s,name resolution: 0.001s'].map((times) =>
      whyNotConnected(failure(DEADLINE_EXCEEDED, `Deadline exceeded after ${times},Waiting for LB pick`), 2_000),
    );
    expect(first!.message).toBe(second!.message);
  });

  it('is the error itself where an engine has given a reason of its own', () => {
    const error = new Error('13 INTERNAL: out of memory');
    expect(whyNotConnected(error, 2_000)).toBe(error);
  });

  it('is in plain words for a connection that was lost', () => {
    expect(whyLost(failure(UNAVAILABLE, 'Connection dropped') as grpc.ServiceError)).toBe(
      'its connection was lost: its process has ended or is stopped, or the network is down',
    );
  });
});
