import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FakeEngine, fakeInference, fakeModel, fakePins } from '../../test/fakes/fake-engine.ts';
import { fakeBreaker } from '../../test/fakes/fake-parts.ts';
import { RouterError } from '../core/errors.ts';
import { PooledEngine } from './pooled-engine.ts';

const input = { model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) };
const late = (): Promise<never> => Promise.reject(new RouterError('DEADLINE_EXCEEDED', 'too late'));

function pooled(engine: FakeEngine): PooledEngine {
  return new PooledEngine(engine.up(fakeModel()), fakePins, fakeBreaker, () => undefined);
}

async function kindOf(engine: PooledEngine, deadlineMs: number, timeoutMs?: number): Promise<string> {
  const { signal } = new AbortController();
  return await engine.infer(input, { deadlineMs, signal }, timeoutMs).then(
    () => 'OK',
    (error: unknown) => (error as RouterError).kind,
  );
}

describe('an engine of the pool', () => {
  it('ends an attempt whose time has passed, and is not to blame for one that was shorter than a pause', async () => {
    const engine = new FakeEngine('a');
    const slow = pooled(engine);
    engine.behaviour = late;
    expect([await kindOf(slow, performance.now() + 60_000, 1), slow.failed]).toEqual(['ATTEMPT_TIMEOUT', 0]);
    expect(engine.calls[0]?.context.deadlineMs).toBeLessThan(performance.now() + 60_000);
  });

  it('is not to blame where the caller’s own deadline has passed, even if it says so a moment early', async () => {
    const engine = new FakeEngine('a');
    const blameless = pooled(engine);
    engine.behaviour = late;
    const deadlineMs = performance.now() + 4;
    const kinds = [await kindOf(blameless, deadlineMs), await kindOf(blameless, deadlineMs, 120_000)];
    expect([kinds, blameless.failed]).toEqual([['DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED'], 0]);
  });

  it('counts neither an answer nor a failure where a request was wrong', async () => {
    const engine = new FakeEngine('a');
    const engineInPool = pooled(engine);
    engine.behaviour = () => Promise.reject(new RouterError('INPUT_LENGTH', 'wrong'));
    await kindOf(engineInPool, Infinity);
    expect([engineInPool.succeeded, engineInPool.failed, engineInPool.breaker.events]).toEqual([0, 0, []]);
  });

  it('gives what is checked, and what is beside all counting is checked, too', async () => {
    const engine = new FakeEngine('a');
    const engineInPool = pooled(engine);
    engine.behaviour = () => Promise.resolve(fakeInference({ totalSpikes: 2n ** 64n - 1n }));
    const expected = {
      ...{ kind: 'ENGINE_FAULT', metadata: { malformed: 'more spikes than the model can have' } },
      message: 'engine "a" gave an invalid answer: more spikes than the model can have',
    };
    const unlimited = { deadlineMs: Infinity, signal: new AbortController().signal };
    await expect(engineInPool.infer(input, unlimited)).rejects.toMatchObject(expected);
    await expect(engineInPool.inferUncounted(input, unlimited)).rejects.toMatchObject(expected);
    expect([engineInPool.failed, engine.calls.length]).toEqual([1, 2]);
  });

  it('is not to blame for an input that is larger than its messages', async () => {
    const engine = new FakeEngine('a');
    const engineInPool = pooled(engine);
    engine.behaviour = () => Promise.reject(new RouterError('INPUT_TOO_LARGE', 'no'));
    for (let n = 0; n < 20; n += 1) expect(await kindOf(engineInPool, Infinity)).toBe('INPUT_TOO_LARGE');
    expect([engineInPool.failed, engineInPool.breaker.state, engineInPool.idleMs]).toEqual([0, 'CLOSED', Infinity]);
  });
});

describe('the room of an engine', () => {
  it('is told of when a request has ended, one beside all counting, too', async () => {
    const fake = new FakeEngine('e').up(fakeModel());
    const onRoom = jest.fn();
    const pooled = new PooledEngine(
      fake,
      fakePins,
      fakeBreaker,
      () => undefined,
      () => [],
      onRoom,
    );
    const context = { deadlineMs: Infinity, signal: new AbortController().signal };
    await pooled.infer(input, context);
    await pooled.inferUncounted(input, context);
    pooled.breaker.stop();
    expect(onRoom).toHaveBeenCalledTimes(2);
  });
});

describe('a time-out of an engine with peers', () => {
  let clockMs: number;
  let bad: FakeEngine;
  let engine: PooledEngine;
  let peer: PooledEngine;
  let peerEngine: FakeEngine;

  beforeEach(async () => {
    clockMs = 1_000;
    jest.spyOn(performance, 'now').mockImplementation(() => clockMs);
    [bad, peerEngine] = [new FakeEngine('bad'), new FakeEngine('peer')];
    const holders = (): PooledEngine[] => [engine, peer];
    const add = (each: FakeEngine): PooledEngine =>
      new PooledEngine(each.up(fakeModel()), fakePins, fakeBreaker, () => undefined, holders);
    [engine, peer] = [add(bad), add(peerEngine)];
    for (let n = 0; n < 20; n += 1) await answer(engine, bad, 3);
    await answer(peer, peerEngine, 3);
  });

  afterEach(() => {
    jest.restoreAllMocks();
    for (const { breaker } of [engine, peer]) breaker.stop();
  });

  /** Answers one request after so long. */
  async function answer(pooled: PooledEngine, fake: FakeEngine, afterMs: number): Promise<void> {
    fake.behaviour = () => {
      clockMs += afterMs;
      return Promise.resolve(fakeInference());
    };
    expect(await kindOf(pooled, Infinity)).toBe('OK');
  }

  /** Its request ends after so long, by the caller's clock or by that of an attempt. */
  async function timeOut(afterMs: number, timeoutMs = Infinity): Promise<string> {
    bad.behaviour = () => {
      clockMs += afterMs;
      return late();
    };
    return await kindOf(engine, clockMs + afterMs, timeoutMs);
  }

  it('counts against it where the time of an attempt has passed, and where the caller’s own has', async () => {
    expect([await timeOut(250, 200), engine.failed]).toEqual(['ENGINE_SLOW', 1]);
    expect([await timeOut(250), engine.failed]).toEqual(['DEADLINE_EXCEEDED', 2]);
  });

  it('counts for nothing where the caller gives less time than answers take', async () => {
    expect([await timeOut(5), engine.failed]).toEqual(['DEADLINE_EXCEEDED', 0]);
  });

  it('counts for nothing where its peer takes as long, and its next attempt gets more time', async () => {
    peerEngine.behaviour = () => new Promise(() => undefined);
    void peer.infer(input, { deadlineMs: Infinity, signal: new AbortController().signal });
    expect([await timeOut(250, 200), engine.failed, engine.attemptMs(input, 10_000)]).toEqual([
      'ATTEMPT_TIMEOUT',
      0,
      750,
    ]);
  });

  it('leaves its next attempt no more than its share where its peer answers within that', async () => {
    for (let n = 0; n < 50; n += 1) await answer(engine, bad, 300);
    expect(engine.attemptMs(input, 200)).toBe(200);
  });

  it('opens its breaker after five in a row, with the cause', async () => {
    for (let n = 0; n < 5; n += 1) await timeOut(250, 200);
    const why =
      '5 requests in a row failed, the last with ENGINE_SLOW: no answer in time, while other engines were faster';
    expect(engine.breaker.events).toMatchObject([{ state: 'OPEN', why }]);
  });

  it('keeps what it takes as it was where its peer answers and it has used its usual time only', async () => {
    for (let n = 0; n < 20; n += 1) await answer(engine, bad, 300);
    const before = engine.attemptMs(input, 10_000);
    await timeOut(250, 200);
    expect(engine.attemptMs(input, 10_000)).toBe(before);
  });

  describe('that is silent', () => {
    let replaced: string[];

    beforeEach(() => {
      replaced = [];
      Object.assign(bad, {
        unanswered: { inputs: 37, forMs: 600 },
        replaceConnection: (why: string) => replaced.push(why),
      });
    });

    it('has its connection replaced where other engines answered in that time', async () => {
      await timeOut(250, 200);
      expect(replaced).toEqual(['took 37 inputs and answered none for 600 ms while other engines answered']);
    });

    it('keeps its connection where no other engine has answered in that time', async () => {
      clockMs += 10_000;
      await timeOut(250, 200);
      expect(replaced).toEqual([]);
    });

    it('has it replaced also where no other engine answers, once it is silent for far longer than usual', async () => {
      clockMs += 10_000;
      Object.assign(bad, { unanswered: { inputs: 37, forMs: 2_100 } });
      await timeOut(2_000);
      expect(replaced).toEqual([
        expect.stringMatching(/^took 37 inputs and answered none for 2100 ms, though it usually/),
      ]);
    });

    it('keeps its connection while it has had few inputs', async () => {
      Object.assign(bad, { unanswered: { inputs: 4, forMs: 600 } });
      await timeOut(250, 200);
      expect(replaced).toEqual([]);
    });

    it('has its connection replaced also where callers leave before their time is over', async () => {
      bad.behaviour = () => Promise.reject(new RouterError('CANCELLED', 'another engine was faster'));
      const signal = AbortSignal.abort(new RouterError('CANCELLED', 'another engine was faster'));
      await engine.infer(input, { deadlineMs: Infinity, signal }).catch(() => undefined);
      expect([replaced.length, engine.failed]).toEqual([1, 0]);
    });
  });
});
