import { describe, expect, it } from '@jest/globals';
import type { GrpcClient } from '../../grpc/client.ts';
import { type CodeName, StatusError, status } from '../../grpc/status.ts';
import { isSilent, whyLost, describeFailure, whyUnreachable } from './connect-error.ts';

type Client = Pick<GrpcClient, 'closeReason'>;

const OPEN: Client = { closeReason: undefined };

function failure(code: CodeName, message: string): StatusError {
  return new StatusError(status(code, message));
}

function closed(by: 'peer' | 'here', text: string, code = 0, budget?: string): Client {
  return { closeReason: { by, text, code, budget } };
}

describe('whyUnreachable explains', () => {
  it.each([
    [
      'an address that never answers',
      failure('DEADLINE_EXCEEDED', 'cannot connect: no connection within 2000 ms'),
      'unreachable: no connection within 2000 ms; check its address, the network and firewalls, and whether its process is stopped',
    ],
    [
      'a port where nothing listens',
      failure('UNAVAILABLE', 'cannot connect: connect ECONNREFUSED 127.0.0.1:1'),
      'unreachable: connect ECONNREFUSED 127.0.0.1:1',
    ],
    [
      'a name without an address',
      failure('UNAVAILABLE', 'cannot connect: getaddrinfo ENOTFOUND nosuch.invalid'),
      'unreachable: its name has no address (getaddrinfo ENOTFOUND nosuch.invalid)',
    ],
  ])('%s', (_what, error, text) => {
    expect(whyUnreachable(error, 2_000).message).toBe(text);
  });
});

describe('describeFailure explains', () => {
  const LOST = failure('UNAVAILABLE', 'the connection was lost: …');

  it.each([
    [
      'a stopped process',
      failure('DEADLINE_EXCEEDED', 'the deadline passed before the server answered'),
      OPEN,
      'connected, but it did not say within 2000 ms what it is; its process may be stopped or overloaded',
    ],
    [
      'a web server',
      LOST,
      closed('here', 'a frame has 4740180 bytes', 6),
      'not an engine: what listens at this address speaks no gRPC; check the address',
    ],
    [
      'a port that closes its connections',
      LOST,
      closed('peer', 'the peer has closed the connection'),
      'unreachable: what listens at this address closes every connection',
    ],
    [
      'another gRPC service',
      failure('UNIMPLEMENTED', 'The server does not implement the method /tandem.engine.v1.EngineService/Describe'),
      OPEN,
      'not an engine: something else answers at this address (The server does not implement the method /tandem.engine.v1.EngineService/Describe); check the address',
    ],
    ['an engine that gave a reason', failure('INTERNAL', 'out of memory'), OPEN, '13 INTERNAL: out of memory'],
  ])('%s', (_what, error, client, text) => {
    expect(describeFailure(error, client, 2_000).message).toBe(text);
  });
});

describe('isSilent', () => {
  it('is true only if no answer came in time', () => {
    const late = failure('DEADLINE_EXCEEDED', 'late');
    expect([whyUnreachable(late, 1), describeFailure(late, OPEN, 1)].map(isSilent)).toEqual([true, true]);
    expect(isSilent(describeFailure(failure('INTERNAL', 'no'), OPEN, 1))).toBe(false);
  });
});

describe('whyLost explains a stream', () => {
  const GONE = 'its connection was lost: its process has ended or is stopped, or the network is down';
  const LOST = status('UNAVAILABLE', 'the connection was lost: …');

  it.each([
    ['whose connection was closed', LOST, closed('peer', 'the peer has closed the connection'), GONE],
    ['without an answer to its ping', LOST, closed('here', 'no PING', 10, 'keepalive'), GONE],
    [
      'whose peer breaks HTTP/2',
      LOST,
      closed('here', 'DATA on stream 9, which is not open', 1),
      'it breaks HTTP/2: DATA on stream 9, which is not open',
    ],
    [
      'whose connection the peer ended with an error',
      LOST,
      closed('peer', 'too_many_pings', 11),
      'it has ended the connection: too_many_pings',
    ],
    ['that the engine ended', status('OK', ''), OPEN, 'it closed the stream'],
    ['that the engine refused', status('RESOURCE_EXHAUSTED', 'full'), OPEN, '8 RESOURCE_EXHAUSTED: full'],
  ])('%s', (_what, end, client, text) => {
    expect(whyLost(end, client)).toBe(text);
  });
});
