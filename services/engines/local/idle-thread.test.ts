import { afterEach, describe, expect, it } from '@jest/globals';
import { IdleThread } from './idle-thread.ts';

const thread = (name: string): IdleThread<unknown, unknown> => new IdleThread(new URL(name, import.meta.url));

let idle = thread('./trace-thread.ts');

afterEach(() => idle.end());

describe('IdleThread', () => {
  it('rejects with the error that ended its thread, and the next message starts another one', async () => {
    for (let time = 0; time < 2; time += 1) await expect(idle.ask({})).rejects.toThrow(/undefined/);
  });

  it('rejects if it is ended meanwhile', async () => {
    const reply = idle.ask({});
    await Promise.all([expect(reply).rejects.toThrow(), idle.end()]);
  });

  it('rejects if its thread cannot start', async () => {
    idle = thread('./no-such-thread.ts');
    await expect(idle.ask({})).rejects.toThrow(/no-such-thread/);
  });
});
