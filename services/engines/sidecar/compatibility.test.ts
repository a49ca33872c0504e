import { describe, expect, it } from '@jest/globals';
import { OURS, type Versions, whyIncompatible } from './compatibility.ts';

const ROUTER: Versions = { numerics: 2, protocol: 4, oldestProtocol: 3 };

function why(over: Partial<Versions>): string | undefined {
  return whyIncompatible('engine-2', { ...ROUTER, ...over }, ROUTER);
}

describe('whyIncompatible accepts an engine', () => {
  it.each([
    ['of the router’s versions', {}],
    ['if its newest protocol is the router’s oldest', { protocol: 3, oldestProtocol: 2 }],
    ['if its oldest protocol is the router’s newest', { protocol: 5, oldestProtocol: 4 }],
  ])('%s', (_, versions) => {
    expect(why(versions)).toBeUndefined();
  });

  it('without protocol versions if the router still supports the first', () => {
    expect(whyIncompatible('engine-2', { ...OURS, protocol: 0, oldestProtocol: 0 }, OURS)).toBeUndefined();
  });
});

describe('whyIncompatible refuses an engine by name, with the part to upgrade,', () => {
  it.each([
    ['with newer numerics', { numerics: 3 }, 'implements numerics version 3, this router 2: upgrade the router'],
    ['with older numerics', { numerics: 1 }, 'implements numerics version 1, this router 2: upgrade the engine'],
    [
      'with only newer protocols',
      { protocol: 6, oldestProtocol: 5 },
      'speaks protocol version 5 to 6, this router 3 to 4: upgrade the router',
    ],
    [
      'with only older protocols',
      { protocol: 2, oldestProtocol: 2 },
      'speaks protocol version 2, this router 3 to 4: upgrade the engine',
    ],
    [
      'without protocol versions',
      { protocol: 0, oldestProtocol: 0 },
      'speaks protocol version 1, this router 3 to 4: upgrade the engine',
    ],
  ])('%s', (_, versions, message) => {
    expect(why(versions)).toBe(`engine-2 ${message}`);
  });
});
