import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { answer, refuse } from '../../../test/fakes/fake-sidecar.ts';
import { Cancel } from '../../core/cancel.ts';
import { RouterError } from '../../core/errors.ts';
import { type InferResult, InferStreamResponse } from '../../generated/tandem/engine/v1/engine.ts';
import { InferStream } from './infer-stream.ts';

/** Five sweeps. */
const TIMEOUT_MS = 100;
const SWEEP_MS = 20;
const INPUT = { model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) };

let stream: InferStream;
let closed: [why: string, isFault: boolean][];
let takesMore: boolean;
let probes: number;
let probe: () => Promise<unknown>;
/** Outcomes of the inputs, in the order of their end. */
let outcomes: string[];

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
  [closed, outcomes] = [[], []];
  [takesMore, probes] = [true, 0];
  probe = () => new Promise(() => undefined);
  const options = { maxMessageBytes: 4e6, timeoutMs: TIMEOUT_MS, outputsOf: () => 2 };
  const counted = (): Promise<unknown> => {
    probes += 1;
    return probe();
  };
  stream = new InferStream('e', { ...options, probe: counted }, (...each) => closed.push(each));
  stream.begin({ write: () => takesMore, end: () => undefined, cancel: () => undefined });
});

afterEach(() => {
  stream.fail('the test is over');
  jest.useRealTimers();
});

function send(deadlineMs = Infinity): Cancel {
  const signal = new Cancel();
  stream.infer(INPUT, { deadlineMs, signal }).then(
    () => outcomes.push('answered'),
    (error: unknown) => outcomes.push((error as RouterError).kind),
  );
  return signal;
}

function receive(...results: InferResult[]): void {
  stream.onMessage(Buffer.from(InferStreamResponse.encode({ results, checksum: 0n }).finish()));
}

const left = (): RouterError => new RouterError('CANCELLED', 'left');
const aTurn = (): Promise<void> => new Promise(setImmediate);

async function sweeps(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    jest.advanceTimersByTime(SWEEP_MS);
    await aTurn();
  }
}

describe('an engine that owes answers', () => {
  it('is probed after half of the time, and lost after all of it', async () => {
    send();
    await sweeps(2);
    expect(probes).toBe(0);
    await sweeps(1);
    expect([probes, closed]).toEqual([1, []]);
    await sweeps(1);
    expect(closed).toEqual([]);
    await sweeps(1);
    expect([closed, outcomes]).toEqual([
      [[`it owes answers and was silent for ${TIMEOUT_MS} ms`, false]],
      ['ENGINE_LOST'],
    ]);
    expect(probes).toBe(1);
  });

  it('stays while it answers probes', async () => {
    probe = () => Promise.resolve();
    send();
    await sweeps(12);
    expect([closed, probes]).toEqual([[], 4]);
  });

  it('is lost if a probe fails', async () => {
    probe = () => Promise.reject(new Error('no'));
    send();
    await sweeps(5);
    expect(closed).toHaveLength(1);
  });

  it('is not silent while it answers others', async () => {
    send();
    for (let id = 2n; id < 12n; id += 1n) {
      send();
      await sweeps(2);
      receive(answer(id));
    }
    expect([closed, probes]).toEqual([[], 0]);
  });

  it('is not probed while it owes nothing', async () => {
    await sweeps(10);
    send();
    await sweeps(2);
    receive(answer(1n));
    await sweeps(2);
    expect([closed, probes]).toEqual([[], 0]);
  });

  it('may send 64 empty messages between two sweeps, and no more', async () => {
    for (let n = 0; n < 64; n += 1) receive();
    await sweeps(1);
    for (let n = 0; n < 64; n += 1) receive();
    expect(closed).toEqual([]);
    receive();
    expect(closed).toEqual([['it sends messages without results', true]]);
  });

  it('may leave 65536 cancelled inputs unanswered, and no more', async () => {
    const signal = new Cancel();
    const ignored = { answered: () => undefined, failed: () => undefined };
    stream.inferEach(Array<typeof INPUT>(65_536).fill(INPUT), { deadlineMs: Infinity, signal }, ignored);
    const last = send();
    await aTurn();
    signal.abort(left());
    expect(closed).toEqual([]);
    last.abort(left());
    expect(closed).toEqual([['it left 65536 cancelled inputs unanswered', true]]);
  });
});

describe('an input with a deadline', () => {
  it('fails at the first sweep at or after it', async () => {
    send(performance.now() + 2 * SWEEP_MS);
    send(performance.now() + 2 * SWEEP_MS + 1);
    await sweeps(1);
    expect(outcomes).toEqual([]);
    await sweeps(1);
    expect(outcomes).toEqual(['DEADLINE_EXCEEDED']);
    await sweeps(1);
    expect(outcomes).toEqual(['DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED']);
  });
});

describe('InferStream.unanswered', () => {
  beforeEach(() => {
    probe = () => Promise.resolve();
  });

  it('is set once the engine has answered nothing for the time-out', async () => {
    send();
    send();
    await sweeps(4);
    expect(stream.unanswered).toBeUndefined();
    await sweeps(1);
    expect(stream.unanswered).toEqual({ inputs: 2, forMs: TIMEOUT_MS });
    await sweeps(1);
    expect(stream.unanswered).toEqual({ inputs: 2, forMs: TIMEOUT_MS + SWEEP_MS });
  });

  it('starts again with every answer', async () => {
    send();
    send();
    await sweeps(4);
    receive(refuse(1n, 'NON_FINITE'));
    send();
    await sweeps(4);
    expect(stream.unanswered).toBeUndefined();
    await sweeps(1);
    expect(stream.unanswered).toEqual({ inputs: 1, forMs: TIMEOUT_MS });
  });

  it('does not start again if the engine only reports that an input was given up', async () => {
    send();
    send();
    await sweeps(3);
    receive(refuse(1n, 'DEADLINE_EXCEEDED'));
    await sweeps(2);
    expect(stream.unanswered).toEqual({ inputs: 1, forMs: TIMEOUT_MS });
    receive(refuse(2n, 'CANCELLED'), refuse(7n, 'CANCELLED'));
    await sweeps(1);
    expect(stream.unanswered).toBeUndefined();
  });

  it('counts a sent input that its caller has cancelled', async () => {
    const signal = send();
    await sweeps(1);
    signal.abort(left());
    await sweeps(4);
    expect(stream.unanswered).toEqual({ inputs: 1, forMs: TIMEOUT_MS });
    receive(answer(1n));
    expect(stream.unanswered).toBeUndefined();
  });

  it.each([
    [true, undefined],
    [false, { inputs: 2, forMs: TIMEOUT_MS }],
  ])(
    'counts an input that is cancelled before it is sent only if the engine does not read (%p)',
    async (reads, expected) => {
      takesMore = reads;
      send();
      await aTurn();
      if (reads) receive(answer(1n));
      send().abort(left());
      await sweeps(5);
      expect(stream.unanswered).toEqual(expected);
    },
  );
});

describe('InferStream that has ended', () => {
  it('leaves no timer behind', () => {
    stream.fail('told to');
    expect([jest.getTimerCount(), closed]).toEqual([0, [['told to', false]]]);
  });

  it('is not lost again by a sweep that was due', async () => {
    send();
    await sweeps(4);
    jest.advanceTimersByTime(SWEEP_MS - 1);
    stream.fail('told to');
    await sweeps(10);
    expect([closed, probes]).toEqual([[['told to', false]], 1]);
  });
});
