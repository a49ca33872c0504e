import { describe, expect, it } from '@jest/globals';
import { checkDescriptors, descriptorLimit, shareDescriptors, watchDescriptors } from './descriptors.ts';

const needs = { workers: 1, spawned: 2 };

describe('a start with few file descriptors', () => {
  it('is refused with what to do', () => {
    expect(() => checkDescriptors(30)).toThrow(/^30 file descriptors \(ulimit -n\) are too few.* needs 64; raise it/);
  });

  it('goes on where they are enough, or the system does not say', () => {
    expect(() => checkDescriptors(64)).not.toThrow();
    expect(() => checkDescriptors(undefined)).not.toThrow();
  });
});

describe('the share of file descriptors', () => {
  it.each([
    [20_000, { http: 128, grpc: 19_280 }],
    [1_024, { http: 128, grpc: 560 }],
    [256, { http: 28, grpc: 84 }],
  ])('of %d leaves a reserve for engines, files and the process itself', (limit, shares) => {
    expect(shareDescriptors(limit, needs)).toEqual(shares);
  });

  it('is a few connections where there are hardly any', () => {
    expect(shareDescriptors(32, needs)).toEqual({ http: 8, grpc: 16 });
  });

  it('has a bound where the system sets none', () => {
    expect(shareDescriptors(undefined, needs)).toEqual({ http: 128, grpc: 65_536 });
  });

  it('leaves more to a router with more threads and sidecars', () => {
    expect(shareDescriptors(1_024, { workers: 8, spawned: 8 }).grpc).toBeLessThan(shareDescriptors(1_024, needs).grpc);
  });

  it('is of the limit that the system sets this process', () => {
    expect(descriptorLimit()).toBeGreaterThan(0);
  });
});

describe('the watch on file descriptors', () => {
  it('tells once when there are none, and once when there are some again', () => {
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
