import { beforeEach, describe, expect, it } from '@jest/globals';
import { ConnectionLimit } from './connection-limit.ts';

let destroyed: string[];
let reports: boolean[];
let limit: ConnectionLimit;

class Peer {
  readonly name: string;
  readonly remoteAddress: string;

  constructor(name: string, remoteAddress = '10.0.0.1') {
    this.name = name;
    this.remoteAddress = remoteAddress;
    limit.opened(this);
  }

  destroy(): void {
    destroyed.push(this.name);
    limit.closed(this);
  }
}

beforeEach(() => {
  destroyed = [];
  reports = [];
  limit = new ConnectionLimit(2, (isFull) => reports.push(isFull));
});

describe('ConnectionLimit of two', () => {
  it('closes neither of two connections', () => {
    new Peer('a');
    new Peer('b');
    expect([destroyed, reports, limit.open]).toEqual([[], [], 2]);
  });

  it('closes the connection that is idle longest if a third opens', () => {
    const a = new Peer('a');
    new Peer('b');
    limit.working(a);
    limit.done(a);
    new Peer('c');
    expect(destroyed).toEqual(['b']);
  });

  it('does not close a connection before all of its work is done', () => {
    const a = new Peer('a');
    limit.working(a);
    limit.working(a);
    limit.done(a);
    new Peer('b');
    new Peer('c');
    new Peer('d');
    expect(destroyed).toEqual(['b', 'c']);
    limit.done(a);
    new Peer('e');
    new Peer('f');
    expect(destroyed).toEqual(['b', 'c', 'd', 'a']);
  });

  it('refuses a third connection if both are working', () => {
    limit.working(new Peer('a'));
    limit.working(new Peer('b'));
    new Peer('c');
    expect([destroyed, limit.open]).toEqual([['c'], 2]);
  });

  it('reports once that it is full, and once that it is not', () => {
    const peers = ['a', 'b', 'c', 'd'].map((name) => new Peer(name));
    expect(reports).toEqual([true]);
    limit.closed(peers[3]!);
    expect(reports).toEqual([true, false]);
  });

  it('reports connections that the system refused', () => {
    const a = new Peer('a');
    limit.refused();
    limit.refused();
    limit.closed(a);
    expect(reports).toEqual([true, false]);
  });

  it('ignores events of a connection that it has closed', () => {
    const a = new Peer('a');
    new Peer('b');
    new Peer('c');
    limit.working(a);
    limit.done(a);
    limit.closed(a);
    expect(limit.open).toBe(2);
  });
});

describe('ConnectionLimit for a peer with more than half of the connections', () => {
  it('closes connections of that peer for its new ones', () => {
    limit = new ConnectionLimit(4);
    const others = ['x', 'y'].map((name) => new Peer(name, '10.0.0.2'));
    for (const name of ['a', 'b']) new Peer(name, '10.0.0.1');
    new Peer('c', '10.0.0.1');
    expect(destroyed).toEqual(['x']);
    for (const name of ['d', 'e', 'f']) new Peer(name, '10.0.0.1');
    expect(destroyed).toEqual(['x', 'a', 'b', 'c']);
    limit.working(others[1]!);
    limit.done(others[1]!);
    new Peer('z', '10.0.0.2');
    expect(destroyed).toEqual(['x', 'a', 'b', 'c', 'd']);
  });
});
