import { describe, expect, it } from '@jest/globals';
import { checkDescriptors, descriptorLimit, shareDescriptors, watchDescriptors } from './descriptors.ts';

const needs = { workers: 1, spawned: 2 };

describe('checkDescriptors', () => {
  it('throws if there are too few descriptors, with what to do', () => {
    expect(() => checkDescriptors(30)).toThrow(/^30 file descriptors \(ulimit -n\) are too few.* needs 64; raise it/);
  });

  it('accepts enough descriptors or an unknown limit', () => {
    expect(() => checkDescriptors(64)).not.toThrow();
    expect(() => checkDescriptors(undefined)).not.toThrow();
  });
});

describe('shareDescriptors', () => {
  it.each([
    [20_000, { http: 128, grpc: 19_280 }],
    [1_024, { http: 128, grpc: 560 }],
    [256, { http: 28, grpc: 84 }],
  ])('of %d leaves a reserve for engines, files and the process', (limit, shares) => {
    expect(shareDescriptors(limit, needs)).toEqual(shares);
  });

  it('gives a few connections for a very low limit', () => {
    expect(shareDescriptors(32, needs)).toEqual({ http: 8, grpc: 16 });
  });

  it('has an upper limit if the system has none', () => {
    expect(shareDescriptors(undefined, needs)).toEqual({ http: 128, grpc: 65_536 });
  });

  it('leaves fewer connections with more workers and sidecars', () => {
    expect(shareDescriptors(1_024, { workers: 8, spawned: 8 }).grpc).toBeLessThan(shareDescriptors(1_024, needs).grpc);
  });

  it('can use the limit that the system reports', () => {
    expect(descriptorLimit()).toBeGreaterThan(0);
  });
});

describe('watchDescriptors', () => {
  it('reports once when descriptors run out and once when they are available again', () => {
    const logged: string[] = [];
    let look = (): void => undefined;
    let error: NodeJS.ErrnoException | null = null;
    watchDescriptors(
      (severity) => logged.push(severity),
      (done) => done(error),
      (run) => {
        look = run;
        return () => undefined;
      },
    );
    look();
    error = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
    look();
    look();
    expect(logged).toEqual(['WARNING']);
    error = null;
    look();
    look();
    expect(logged).toEqual(['WARNING', 'INFO']);
  });
});
