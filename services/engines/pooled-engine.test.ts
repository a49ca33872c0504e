import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FakeEngine, fakeInference, fakeModel, fakePins } from '../../test/fakes/fake-engine.ts';
import { fakeBreaker } from '../../test/fakes/fake-parts.ts';
import { RouterError } from '../core/errors.ts';
import type { Inference } from '../core/inference.ts';
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

describe('PooledEngine', () => {
  it('ends an attempt at its timeout, and a timeout of 1 ms is no failure', async () => {
    const engine = new FakeEngine('a');
    const slow = pooled(engine);
    engine.behaviour = late;
    const clock = jest.spyOn(performance, 'now').mockReturnValue(1_000);
    expect([await kindOf(slow, 61_000, 1), slow.failed]).toEqual(['ATTEMPT_TIMEOUT', 0]);
    clock.mockRestore();
    expect(engine.calls[0]?.context.deadlineMs).toBe(1_001);
  });

  it('counts no failure if the caller’s deadline has passed or is within 4 ms', async () => {
    const engine = new FakeEngine('a');
    const blameless = pooled(engine);
    engine.behaviour = late;
    const deadlineMs = performance.now() + 4;
    const kinds = [await kindOf(blameless, deadlineMs), await kindOf(blameless, deadlineMs, 120_000)];
    expect([kinds, blameless.failed]).toEqual([['DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED'], 0]);
  });

  it('counts neither success nor failure for a wrong request', async () => {
    const engine = new FakeEngine('a');
    const engineInPool = pooled(engine);
    engine.behaviour = () => Promise.reject(new RouterError('INPUT_LENGTH', 'wrong'));
    await kindOf(engineInPool, Infinity);
    expect([engineInPool.succeeded, engineInPool.failed, engineInPool.breaker.events]).toEqual([0, 0, []]);
  });

  it('is silent while it answers no request, though it has some', async () => {
    const engine = new FakeEngine('a');
    const silent = pooled(engine);
    const isSilent = (): boolean => silent.isSilent(input, 0);
    const first = Promise.withResolvers<Inference>();
    engine.behaviour = () => first.promise;
    const seen = [isSilent()];
    const answering = kindOf(silent, Infinity);
    seen.push(isSilent());
    first.resolve(fakeInference());
    await answering;
    expect([...seen, isSilent()]).toEqual([false, true, false]);
  });

  it('refuses invalid answers, counted or not', async () => {
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

  it('counts no failure for an input larger than its messages', async () => {
    const engine = new FakeEngine('a');
    const engineInPool = pooled(engine);
    engine.behaviour = () => Promise.reject(new RouterError('INPUT_TOO_LARGE', 'no'));
    for (let n = 0; n < 20; n += 1) expect(await kindOf(engineInPool, Infinity)).toBe('INPUT_TOO_LARGE');
    expect([engineInPool.failed, engineInPool.breaker.state, engineInPool.idleMs]).toEqual([0, 'CLOSED', Infinity]);
  });
});

describe('PooledEngine.onRoom', () => {
  it('is called after each request, counted or not', async () => {
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

describe('a timeout of an engine with peers', () => {
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

  /** Answers one request after `afterMs`. */
  async function answer(pooled: PooledEngine, fake: FakeEngine, afterMs: number): Promise<void> {
    fake.behaviour = () => {
      clockMs += afterMs;
      return Promise.resolve(fakeInference());
    };
    expect(await kindOf(pooled, Infinity)).toBe('OK');
  }

  /** Its request ends after `afterMs`, at the caller’s deadline or at the timeout of an attempt. */
  async function timeOut(afterMs: number, timeoutMs = Infinity): Promise<string> {
    bad.behaviour = () => {
      clockMs += afterMs;
      return late();
    };
    return await kindOf(engine, clockMs + afterMs, timeoutMs);
  }

  it('counts as a failure, both of the attempt and of the caller', async () => {
    expect([await timeOut(250, 200), engine.failed]).toEqual(['ENGINE_SLOW', 1]);
    expect([await timeOut(250), engine.failed]).toEqual(['DEADLINE_EXCEEDED', 2]);
  });

  it('counts as no failure if the timeout is shorter than usual answers', async () => {
    expect([await timeOut(5), engine.failed]).toEqual(['DEADLINE_EXCEEDED', 0]);
  });

  it('counts as no failure if the peer is as slow, and extends the next attempt', async () => {
    peerEngine.behaviour = () => new Promise(() => undefined);
    void peer.infer(input, { deadlineMs: Infinity, signal: new AbortController().signal });
    expect([await timeOut(250, 200), engine.failed, engine.attemptMs(input, 10_000)]).toEqual([
      'ATTEMPT_TIMEOUT',
      0,
      750,
    ]);
  });

  it('does not extend the next attempt if the peer is fast', async () => {
    for (let n = 0; n < 50; n += 1) await answer(engine, bad, 300);
    expect(engine.attemptMs(input, 200)).toBe(200);
  });

  it('opens the breaker after five in a row, with the cause', async () => {
    for (let n = 0; n < 5; n += 1) await timeOut(250, 200);
    const why =
      '5 requests in a row failed, the last with ENGINE_SLOW: no answer in time, while other engines were faster';
    expect(engine.breaker.events).toMatchObject([{ state: 'OPEN', why }]);
  });

  it('does not change the expected time if the peer is fast', async () => {
    for (let n = 0; n < 20; n += 1) await answer(engine, bad, 300);
    const before = engine.attemptMs(input, 10_000);
    await timeOut(250, 200);
    expect(engine.attemptMs(input, 10_000)).toBe(before);
  });

  it('does not extend the next attempt if it counts as a failure, though there is no peer to compare with', async () => {
    engine = new PooledEngine(bad, fakePins, fakeBreaker, () => undefined);
    for (let n = 0; n < 20; n += 1) await answer(engine, bad, 3);
    const before = engine.attemptMs(input, 10_000);
    expect([await timeOut(300, 250), engine.failed, engine.attemptMs(input, 10_000)]).toEqual([
      'ENGINE_SLOW',
      1,
      before,
    ]);
  });

  describe('without answers on its connection', () => {
    let replaced: string[];

    beforeEach(() => {
      replaced = [];
      Object.assign(bad, {
        unanswered: { inputs: 37, forMs: 600 },
        replaceConnection: (why: string) => replaced.push(why),
      });
    });

    it('replaces the connection if other engines answered in that time', async () => {
      await timeOut(250, 200);
      expect(replaced).toEqual(['took 37 inputs and answered none for 600 ms while other engines answered']);
    });

    it('keeps the connection if no other engine answered in that time', async () => {
      clockMs += 10_000;
      await timeOut(250, 200);
      expect(replaced).toEqual([]);
    });

    it('replaces the connection if the silence is far longer than usual', async () => {
      clockMs += 10_000;
      Object.assign(bad, { unanswered: { inputs: 37, forMs: 2_100 } });
      await timeOut(2_000);
      expect(replaced).toEqual([
        expect.stringMatching(/^took 37 inputs and answered none for 2100 ms, though it usually/),
      ]);
    });

    it('keeps the connection if it had few inputs', async () => {
      Object.assign(bad, { unanswered: { inputs: 4, forMs: 600 } });
      await timeOut(250, 200);
      expect(replaced).toEqual([]);
    });

    it('replaces the connection from the fifth input on', async () => {
      Object.assign(bad, { unanswered: { inputs: 5, forMs: 600 } });
      await timeOut(250, 200);
      expect(replaced).toHaveLength(1);
    });

    it('keeps the connection if it was silent for less than it usually takes', async () => {
      for (let n = 0; n < 20; n += 1) await answer(peer, peerEngine, 1);
      Object.assign(bad, { unanswered: { inputs: 37, forMs: 5.9 } });
      await timeOut(1);
      expect(replaced).toEqual([]);
      Object.assign(bad, { unanswered: { inputs: 37, forMs: 6 } });
      await timeOut(1);
      expect(replaced).toEqual(['took 37 inputs and answered none for 6 ms while other engines answered']);
    });

    it('does not count a peer’s answer before the silence', async () => {
      Object.assign(bad, { unanswered: { inputs: 37, forMs: 250 } });
      await timeOut(250, 200);
      expect(replaced).toEqual([]);
      Object.assign(bad, { unanswered: { inputs: 37, forMs: 501 } });
      await timeOut(250, 200);
      expect(replaced).toHaveLength(1);
    });

    it.each([
      [1_999, []],
      [2_000, ['took 37 inputs and answered none for 2000 ms, though it usually answers within 6 ms']],
    ])('replaces the connection without such answers after 2 s, not after %d ms: %j', async (forMs, expected) => {
      clockMs += 10_000;
      Object.assign(bad, { unanswered: { inputs: 37, forMs } });
      await timeOut(forMs);
      expect(replaced).toEqual(expected);
    });

    it('keeps the connection without such answers if it waits for a model that never answered', async () => {
      clockMs += 10_000;
      Object.assign(bad, { unanswered: { inputs: 37, forMs: 3_000 } });
      bad.behaviour = () => new Promise(() => undefined);
      void engine.infer({ ...input, version: 2 }, { deadlineMs: Infinity, signal: new AbortController().signal });
      await timeOut(2_000);
      expect(replaced).toEqual([]);
    });

    it('replaces the connection even if callers cancel early', async () => {
      bad.behaviour = () => Promise.reject(new RouterError('CANCELLED', 'another engine was faster'));
      const signal = AbortSignal.abort(new RouterError('CANCELLED', 'another engine was faster'));
      await engine.infer(input, { deadlineMs: Infinity, signal }).catch(() => undefined);
      expect([replaced.length, engine.failed]).toEqual([1, 0]);
    });
  });
});
