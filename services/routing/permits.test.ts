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

  it('limits each key again after some of its calls have ended', async () => {
    const calls = new Calls();
    const permits = new Permits({ total: 9, perKey: 3 });
    for (const name of ['a', 'b', 'c']) void calls.run(permits, 'key', name);
    for (const name of ['a', 'b', 'c']) await calls.end(name);
    for (const name of ['d', 'e', 'f', 'g']) void calls.run(permits, 'key', name);
    expect(calls.started.slice(3)).toEqual(['d', 'e', 'f']);
    await calls.end('d');
    expect(calls.started.slice(3)).toEqual(['d', 'e', 'f', 'g']);
    void calls.run(permits, 'key', 'h');
    await calls.end('e');
    expect(calls.started.slice(3)).toEqual(['d', 'e', 'f', 'g', 'h']);
  });

  it('limits the total again after some calls have ended', async () => {
    const calls = new Calls();
    const permits = new Permits({ total: 2, perKey: 2 });
    for (const name of ['a', 'b']) void calls.run(permits, name, name);
    await calls.end('a');
    for (const name of ['c', 'd']) void calls.run(permits, name, name);
    expect(calls.started).toEqual(['a', 'b', 'c']);
  });
});
