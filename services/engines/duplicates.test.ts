import { describe, expect, it } from '@jest/globals';
import { type ProcessView, findDuplicates, normalAddress } from './duplicates.ts';

const engine = (id: string, over: Partial<ProcessView> & { address?: string; isDown?: boolean } = {}): ProcessView => {
  const { address = `${id}:1`, isDown = false, ...rest } = over;
  const description = isDown ? undefined : {};
  const standing = { instanceId: '', claimOrder: 0, isDraining: false, quarantine: '' };
  return { id, kind: 'sidecar', engine: { address, description }, ...standing, ...rest };
};

describe('findDuplicates', () => {
  it('maps engines with one instance id to the first of them', () => {
    const engines = ['a', 'b', 'c'].map((id) => engine(id, { instanceId: id === 'b' ? 'f1' : 'f0' }));
    expect([...findDuplicates(engines)]).toEqual([['c', 'a']]);
  });

  it('maps engines with one address to the first of them', () => {
    const engines = [engine('a', { address: 'localhost:50061' }), engine('b', { address: '127.0.0.1:50061' })];
    expect([...findDuplicates(engines)]).toEqual([['b', 'a']]);
  });

  it('joins engines through a third one', () => {
    const engines = [
      engine('a', { instanceId: 'f0' }),
      engine('b', { instanceId: 'f0', address: 'x:1' }),
      engine('c', { address: 'x:1' }),
    ];
    expect([...findDuplicates(engines)].sort()).toEqual([
      ['b', 'a'],
      ['c', 'a'],
    ]);
  });

  it('finds none without an instance id at different addresses', () => {
    expect([...findDuplicates([engine('a'), engine('b')])]).toEqual([]);
  });

  it('finds none among local engines', () => {
    const local = { kind: 'local', address: 'in-process' } as const;
    expect([...findDuplicates([engine('a', local), engine('b', local)])]).toEqual([]);
  });

  it('prefers the engine that claimed the instance id first', () => {
    const engines = [
      engine('a', { instanceId: 'f0', claimOrder: 2 }),
      engine('b', { instanceId: 'f0', claimOrder: 1 }),
      engine('c', { instanceId: 'f0', claimOrder: 3 }),
    ];
    expect([...findDuplicates(engines)]).toEqual([
      ['a', 'b'],
      ['c', 'b'],
    ]);
  });

  it('prefers the first in the pool if they have one address', () => {
    const engines = [
      engine('a', { address: 'x:1', instanceId: 'f0', claimOrder: 2 }),
      engine('b', { address: 'x:1', instanceId: 'f0', claimOrder: 1 }),
    ];
    expect([...findDuplicates(engines)]).toEqual([['b', 'a']]);
  });

  it.each([
    ['down', { isDown: true }],
    ['quarantined', { quarantine: 'it contradicted the majority' }],
    ['drained', { isDraining: true }],
  ])('skips an engine that is %s', (_, out) => {
    const engines = [
      engine('a', { instanceId: 'f0', ...out }),
      engine('b', { instanceId: 'f0', claimOrder: 1 }),
      engine('c', { instanceId: 'f0', claimOrder: 2 }),
    ];
    expect([...findDuplicates(engines)]).toEqual([['c', 'b']]);
  });
});

describe('normalAddress', () => {
  it.each([
    ['unix:///run/e.sock', 'unix:/run/e.sock'],
    ['unix:/run/../run/e.sock', 'unix:/run/e.sock'],
    ['LOCALHOST:50061', '127.0.0.1:50061'],
    ['Engine.Example.:50061', 'engine.example:50061'],
    ['[0:0:0:0:0:0:0:1]:50061', '[::1]:50061'],
    ['[::ffff:10.0.0.7]:50061', '10.0.0.7:50061'],
    ['[::ffff:192.168.3.160]:50061', '192.168.3.160:50061'],
  ])('maps %s to %s', (written, normal) => {
    expect(normalAddress(written)).toBe(normal);
  });
});
