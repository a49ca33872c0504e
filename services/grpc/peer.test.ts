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

describe('Peer', () => {
  it('slows a connection by its caller, also for calls with other credentials', () => {
    const caller = owner();
    peer.calledBy(caller);
    peer.unpaid();
    expect(connection.pacer).toBe(caller);
    expect([caller.refusals, stranger.refusals]).toEqual([1, 0]);
  });

  it('slows a connection by its address if all calls were refused', () => {
    peer.unpaid();
    expect([connection.pacer, stranger.refusals]).toEqual([stranger, 1]);
  });

  it('slows a connection by its caller after one call is accepted', () => {
    const caller = owner();
    peer.unpaid();
    peer.calledBy(caller);
    expect(connection.pacer).toBe(caller);
  });

  it('slows a connection by no caller if several callers share it', () => {
    const [one, other] = [owner(), owner()];
    for (const each of [one, other, one]) peer.calledBy(each);
    peer.unpaid();
    expect([connection.pacer, one.refusals, stranger.refusals]).toEqual([undefined, 0, 0]);
  });
});
