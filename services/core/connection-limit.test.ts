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

describe('a limit of two connections', () => {
  it('leaves two alone', () => {
    new Peer('a');
    new Peer('b');
    expect([destroyed, reports, limit.open]).toEqual([[], [], 2]);
  });

  it('closes the one that was idle for the longest when a third comes', () => {
    const a = new Peer('a');
    new Peer('b');
    limit.working(a);
    limit.done(a);
    new Peer('c');
    expect(destroyed).toEqual(['b']);
  });

  it('leaves alone the one that is at work, until all of its work is done', () => {
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

  it('refuses the third where both are at work', () => {
    limit.working(new Peer('a'));
    limit.working(new Peer('b'));
    new Peer('c');
    expect([destroyed, limit.open]).toEqual([['c'], 2]);
  });

  it('says once that it is full, and once that there is room again', () => {
    const peers = ['a', 'b', 'c', 'd'].map((name) => new Peer(name));
    expect(reports).toEqual([true]);
    limit.closed(peers[3]!);
    expect(reports).toEqual([true, false]);
  });

  it('hears of connections that the system could not take', () => {
    const a = new Peer('a');
    limit.refused();
    limit.refused();
    limit.closed(a);
    expect(reports).toEqual([true, false]);
  });

  it('does not hear of what it has closed', () => {
    const a = new Peer('a');
    new Peer('b');
    new Peer('c');
    limit.working(a);
    limit.done(a);
    limit.closed(a);
    expect(limit.open).toBe(2);
  });
});

describe('a peer with more than half of the connections', () => {
  it('makes room itself, however often it comes again', () => {
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
