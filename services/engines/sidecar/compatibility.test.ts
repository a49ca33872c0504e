import { describe, expect, it } from '@jest/globals';
import { OURS, type Versions, whyIncompatible } from './compatibility.ts';

const ROUTER: Versions = { numerics: 2, protocol: 4, oldestProtocol: 3 };

function why(over: Partial<Versions>): string | undefined {
  return whyIncompatible('engine-2', { ...ROUTER, ...over }, ROUTER);
}

describe('an engine works with a router', () => {
  it.each([
    ['of its own versions', {}],
    ['that still speaks its older protocol', { protocol: 3, oldestProtocol: 2 }],
    ['whose newest protocol it still speaks', { protocol: 5, oldestProtocol: 4 }],
  ])('%s', (_, versions) => {
    expect(why(versions)).toBeUndefined();
  });

  it('where it is older than the versions of the protocol, and the router still speaks the first', () => {
    expect(whyIncompatible('engine-2', { ...OURS, protocol: 0, oldestProtocol: 0 }, OURS)).toBeUndefined();
  });
});

describe('an engine is refused by name, with what to upgrade,', () => {
  it.each([
    [
      'where it computes newer numerics',
      { numerics: 3 },
      'implements numerics version 3, this router 2: upgrade the router',
    ],
    [
      'where it computes older numerics',
      { numerics: 1 },
      'implements numerics version 1, this router 2: upgrade the engine',
    ],
    [
      'where it has left the router’s protocol behind',
      { protocol: 6, oldestProtocol: 5 },
      'speaks protocol version 5 to 6, this router 3 to 4: upgrade the router',
    ],
    [
      'where the router has left its protocol behind',
      { protocol: 2, oldestProtocol: 2 },
      'speaks protocol version 2, this router 3 to 4: upgrade the engine',
    ],
    [
      'where it is older than the versions of the protocol',
      { protocol: 0, oldestProtocol: 0 },
      'speaks protocol version 1, this router 3 to 4: upgrade the engine',
    ],
  ])('%s', (_, versions, message) => {
    expect(why(versions)).toBe(`engine-2 ${message}`);
  });
});
