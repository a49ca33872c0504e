import { describe, expect, it } from '@jest/globals';
import { until } from './until.ts';

describe('until', () => {
  it('resolves with the value of the condition when it holds', async () => {
    let calls = 0;
    expect(await until(() => (calls += 1) >= 3 && `asked ${calls} times`, { what: 'the third time' })).toBe(
      'asked 3 times',
    );
  });

  it('waits for a condition that fails at first', async () => {
    let calls = 0;
    const condition = async (): Promise<boolean> => {
      calls += 1;
      if (calls < 3) throw new Error('not yet');
      return true;
    };
    expect(await until(condition, { what: 'the third time' })).toBe(true);
  });

  it('names the condition, and the last value', async () => {
    const waiting = until(() => 0, { what: 'a number', timeoutMs: 20 });
    await expect(waiting).rejects.toThrow('waited 20 ms for a number; at last it was 0');
    const failing = until(() => Promise.reject(new Error('no route')), { what: 'an answer', timeoutMs: 20 });
    await expect(failing).rejects.toThrow(/waited 20 ms for an answer; at last it was Error: no route/);
  });
});
