import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { LateAttempts } from './late-attempts.ts';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

class Request {
  isOver = false;
  checkMs: number;
  readonly checkedMs: number[] = [];
  readonly #againMs: number;

  constructor(checkMs: number, againMs = Infinity) {
    this.checkMs = performance.now() + checkMs;
    this.#againMs = againMs;
  }

  check(nowMs: number): void {
    this.checkedMs.push(nowMs);
    this.checkMs = nowMs + this.#againMs;
  }
}

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

describe('LateAttempts', () => {
  it('checks a request within 5 ms of its time', async () => {
    const late = new LateAttempts();
    const request = new Request(12);
    late.watch(request);
    await pass(11);
    expect(request.checkedMs).toHaveLength(0);
    await pass(6);
    expect(request.checkedMs).toHaveLength(1);
  });

  it('checks it again at each time that it sets', async () => {
    const late = new LateAttempts();
    const request = new Request(10, 20);
    late.watch(request);
    await pass(100);
    expect(request.checkedMs).toHaveLength(5);
  });

  it('does not check a request that is over', async () => {
    const late = new LateAttempts();
    const request = new Request(10);
    late.watch(request);
    request.isOver = true;
    await pass(100);
    expect(request.checkedMs).toHaveLength(0);
  });

  it('forgets requests that are over, even if its timer cannot run', () => {
    const late = new LateAttempts();
    const isOver = jest.fn(() => true);
    for (let n = 0; n < 1_000; n += 1) {
      late.watch({
        checkMs: 0,
        check: () => undefined,
        get isOver() {
          return isOver();
        },
      });
    }
    expect(isOver.mock.calls.length).toBeGreaterThan(800);
  });

  describe('credit for backups', () => {
    it('is enough for 16 that do not help', () => {
      const late = new LateAttempts();
      let begun = 0;
      for (; late.mayBackUp; begun += 1) late.backupBegins();
      expect(begun).toBe(16);
    });

    it('does not shrink by those that help, and does not grow by them', () => {
      const late = new LateAttempts();
      for (let n = 0; n < 100; n += 1) {
        late.backupBegins();
        late.backupHelped();
      }
      late.backupHelped();
      let begun = 0;
      for (; late.mayBackUp; begun += 1) late.backupBegins();
      expect(begun).toBe(16);
    });

    it('grows by one backup in 500 requests', () => {
      const late = new LateAttempts();
      while (late.mayBackUp) late.backupBegins();
      const over = { isOver: true, checkMs: Infinity, check: () => undefined };
      for (let n = 0; n < 499; n += 1) late.watch(over);
      expect(late.mayBackUp).toBe(false);
      for (let n = 0; n < 2; n += 1) late.watch(over);
      expect(late.mayBackUp).toBe(true);
    });
  });

  it('has no timer while nothing is watched', async () => {
    const late = new LateAttempts();
    const request = new Request(1_000);
    late.watch(request);
    expect(jest.getTimerCount()).toBe(1);
    request.isOver = true;
    await pass(10);
    expect(jest.getTimerCount()).toBe(0);
    const another = new Request(10);
    late.watch(another);
    await pass(20);
    expect(another.checkedMs).toHaveLength(1);
  });
});
