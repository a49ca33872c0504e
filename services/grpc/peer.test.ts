import { Socket } from 'node:net';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Connection } from '../http2/index.ts';
import type { CallOwner } from './method.ts';
import { Peer } from './peer.ts';

interface CountingOwner extends CallOwner {
  refusals: number;
}

function owner(): CountingOwner {
  const made: CountingOwner = {
    ...{ refusals: 0, restsUntilMs: 0, hold: () => true, ended: () => undefined, discarded: () => undefined },
    unpaid: () => (made.refusals += 1),
  };
  return made;
}

let connection: Connection;
let stranger: CountingOwner;
let peer: Peer;

beforeEach(() => {
  connection = { socket: new Socket() } as Connection;
  stranger = owner();
  peer = new Peer(connection, () => stranger);
});

describe('a connection', () => {
  it('is slowed down by the caller that it belongs to, also for calls with other credentials', () => {
    const caller = owner();
    peer.calledBy(caller);
    peer.unpaid();
    expect(connection.pacer).toBe(caller);
    expect([caller.refusals, stranger.refusals]).toEqual([1, 0]);
  });

  it('whose calls were all refused is slowed down by its address', () => {
    peer.unpaid();
    expect([connection.pacer, stranger.refusals]).toEqual([stranger, 1]);
  });

  it('belongs to its caller once a call is taken', () => {
    const caller = owner();
    peer.unpaid();
    peer.calledBy(caller);
    expect(connection.pacer).toBe(caller);
  });

  it('that several callers share is slowed down by none of them', () => {
    const [one, other] = [owner(), owner()];
    for (const each of [one, other, one]) peer.calledBy(each);
    peer.unpaid();
    expect([connection.pacer, one.refusals, stranger.refusals]).toEqual([undefined, 0, 0]);
  });
});
