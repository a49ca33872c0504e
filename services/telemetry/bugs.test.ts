import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Bugs } from './bugs.ts';
import { createLog } from './log.ts';

let lines: string[];
let bugs: Bugs;

beforeEach(() => {
  jest.useFakeTimers();
  lines = [];
  bugs = new Bugs(createLog('info', { write: (line) => lines.push(line) }));
});

afterEach(() => {
  jest.useRealTimers();
});

const times = (count: number): boolean[] =>
  Array.from({ length: count }, () => bugs.record(new Error('on purpose'), 'unhandledRejection'));

describe('uncaught errors', () => {
  it('are logged as bugs, with their stack, and counted', () => {
    bugs.record(new TypeError('on purpose'), 'uncaughtException');
    const [line] = lines.map((each) => JSON.parse(each) as Record<string, unknown>);
    expect(line).toMatchObject({
      ...{ level: 'error', origin: 'uncaughtException', message: expect.stringMatching(/^bug: .*please report it$/) },
      err: { message: 'on purpose', stack: expect.stringMatching(/bugs\.test\.ts/) },
    });
    expect(bugs.count).toBe(1);
  });

  it('may be values of any type', () => {
    bugs.record(undefined, 'unhandledRejection');
    expect(lines[0]).toContain('"message":"undefined"');
  });

  it('end the process if there are more than 10 in 10 s', () => {
    expect(times(11)).toEqual([...Array<boolean>(10).fill(false), true]);
  });

  it('do not end it if they come slowly, however many', () => {
    for (let n = 0; n < 100; n += 1) {
      jest.advanceTimersByTime(1_001);
      expect(times(1)).toEqual([false]);
    }
  });
});
