import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConnectionFaults } from './connection-faults.ts';

let lines: object[];
let faults: ConnectionFaults;

beforeEach(() => {
  jest.useFakeTimers();
  lines = [];
  faults = new ConnectionFaults({ warn: (line: object) => void lines.push(line) } as never);
});

afterEach(() => {
  faults.stop();
  jest.useRealTimers();
});

const resets = { kind: 'resets', text: 'too many RST_STREAM', peer: '10.0.0.7' };
const preface = { kind: 'PROTOCOL_ERROR', text: 'the first frame is not SETTINGS', peer: '10.0.0.8' };

describe('faults of connections', () => {
  it('are counted by kind', () => {
    for (const fault of [resets, preface, resets]) faults.add(fault);
    expect([...faults.counts]).toEqual([
      ['resets', 2],
      ['PROTOCOL_ERROR', 1],
    ]);
  });

  it('are logged at once, and equal ones later with their count', () => {
    for (let n = 0; n < 1_000; n += 1) faults.add(resets);
    const line = { kind: 'resets', why: 'too many RST_STREAM', peer: '10.0.0.7' };
    expect(lines).toEqual([{ ...line, count: 1 }]);
    jest.advanceTimersByTime(1_000);
    expect(lines.slice(1)).toEqual([{ ...line, count: 1_000 }]);
  });
});
