import { describe, expect, it } from '@jest/globals';
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
  it('is too slow where the time of one attempt has passed', async () => {
    const engine = new FakeEngine('a');
    const slow = pooled(engine);
    engine.behaviour = late;
    expect([await kindOf(slow, performance.now() + 60_000, 1), slow.failed]).toEqual(['ENGINE_SLOW', 1]);
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
    const asked = pooled(engine);
    engine.behaviour = () => Promise.reject(new RouterError('INPUT_LENGTH', 'wrong'));
    await kindOf(asked, Infinity);
    expect([asked.succeeded, asked.failed, asked.breaker.events]).toEqual([0, 0, []]);
  });

  it('gives what is checked, and what is beside all counting is checked, too', async () => {
    const engine = new FakeEngine('a');
    const asked = pooled(engine);
    engine.behaviour = () => Promise.resolve(fakeInference({ totalSpikes: 2n ** 64n - 1n }));
    const expected = {
      ...{ kind: 'ENGINE_FAULT', metadata: { malformed: 'more spikes than the model can have' } },
      message: 'engine "a" gave what cannot be an answer: more spikes than the model can have',
    };
    const unlimited = { deadlineMs: Infinity, signal: new AbortController().signal };
    await expect(asked.infer(input, unlimited)).rejects.toMatchObject(expected);
    await expect(asked.inferUncounted(input, unlimited)).rejects.toMatchObject(expected);
    expect([asked.failed, engine.calls.length]).toEqual([1, 2]);
  });

  it('is not to blame for an input that is larger than its messages', async () => {
    const engine = new FakeEngine('a');
    const asked = pooled(engine);
    engine.behaviour = () => Promise.reject(new RouterError('INPUT_TOO_LARGE', 'no'));
    for (let n = 0; n < 20; n += 1) expect(await kindOf(asked, Infinity)).toBe('INPUT_TOO_LARGE');
    expect([asked.failed, asked.breaker.state, asked.idleMs]).toEqual([0, 'CLOSED', Infinity]);
  });
});
