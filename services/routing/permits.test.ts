import { describe, expect, it } from '@jest/globals';
import { Permits } from './permits.ts';

/** Calls that the test ends. */
class Calls {
  readonly started: string[] = [];
  readonly #ends = new Map<string, () => void>();

  run(permits: Permits, key: string, name: string): Promise<void> {
    return permits.run(key, () => {
      this.started.push(name);
      return new Promise<void>((resolve) => this.#ends.set(name, resolve));
    });
  }

  async end(name: string): Promise<void> {
    this.#ends.get(name)?.();
    await new Promise(setImmediate);
  }
}

describe('Permits', () => {
  it('runs `total` calls at once, and the next one when one has ended', async () => {
    const calls = new Calls();
    const permits = new Permits({ total: 2, perKey: 2 });
    for (const name of ['a', 'b', 'c', 'd']) void calls.run(permits, name, name);
    expect(calls.started).toEqual(['a', 'b']);
    await calls.end('b');
    expect(calls.started).toEqual(['a', 'b', 'c']);
  });

  it('delays only calls of the same key if one hangs', async () => {
    const calls = new Calls();
    const permits = new Permits({ total: 3, perKey: 1 });
    void calls.run(permits, 'hangs', 'h1');
    void calls.run(permits, 'hangs', 'h2');
    void calls.run(permits, 'other', 'o1');
    expect(calls.started).toEqual(['h1', 'o1']);
    await calls.end('o1');
    expect(calls.started).toEqual(['h1', 'o1']);
    await calls.end('h1');
    expect(calls.started).toEqual(['h1', 'o1', 'h2']);
  });

  it('frees a permit if its call fails', async () => {
    const permits = new Permits({ total: 1, perKey: 1 });
    await expect(permits.run('a', () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    await expect(permits.run('a', () => Promise.resolve('ran'))).resolves.toBe('ran');
  });
});
