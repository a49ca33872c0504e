import { describe, expect, it } from '@jest/globals';
import { Thread } from './thread.ts';

const SCRIPT = new URL('./trace-thread.ts', import.meta.url);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('Thread.terminate', () => {
  it('waits until the thread has loaded', async () => {
    const thread = new Thread(SCRIPT);
    let isOnline = false;
    thread.once('online', () => (isOnline = true));
    await thread.terminate();
    expect(isOnline).toBe(true);
  });

  it('ends the thread at any time while it loads', async () => {
    for (let ms = 0; ms < 200; ms += 20) {
      const thread = new Thread(SCRIPT);
      await pause(ms);
      await thread.terminate();
    }
  });

  it('ends a thread that cannot load', async () => {
    const thread = new Thread(new URL('./no-such-script.ts', import.meta.url));
    const failed = new Promise((resolve) => thread.once('error', resolve));
    await thread.terminate();
    expect(String(await failed)).toContain('no-such-script');
  });
});
