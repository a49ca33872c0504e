// How the router connects its parts; each part has tests of its own.
import { describe, expect, it } from '@jest/globals';
import { FakeEngine, fakeInference, fakeModel } from '../../test/fakes/fake-engine.ts';
import { silent } from '../../test/fakes/fake-parts.ts';
import {
  build,
  buildWhole,
  context,
  draining,
  engine,
  kindOf,
  lost,
  question,
  version,
} from '../../test/fakes/router-parts.ts';
import { voteSchema } from '../config/vote.ts';
import { Admission } from './admission.ts';
import { Audit } from './audit.ts';

describe('the plan of a request', () => {
  it('keeps the order if an engine has one free slot', async () => {
    const engines = [engine('a'), engine('b'), engine('c')];
    const { router, pool } = buildWhole(engines);
    engines[0]!.inFlight = pool.find('a').limit.limit - 1;
    engines[1]!.inFlight = pool.find('b').limit.limit;
    expect([pool.find('a').availableSlots, pool.find('b').availableSlots]).toEqual([1, 0]);
    await router.reason(question(), context());
    expect(engines.map(({ calls }) => calls.length)).toEqual([1, 0, 0]);
  });

  it('puts an engine without free slots last', async () => {
    const engines = [engine('a'), engine('b')];
    const { router, pool } = buildWhole(engines);
    engines[0]!.inFlight = pool.find('a').limit.limit;
    await router.reason(question(), context());
    expect(engines.map(({ calls }) => calls.length)).toEqual([0, 1]);
  });
});

describe('the admission of a request', () => {
  class Watched extends Admission {
    readonly left: boolean[] = [];

    override leave(model: object, isAnswered: boolean): void {
      this.left.push(isAnswered);
      super.leave(model, isAnswered);
    }
  }

  const watched = (): Watched => new Watched({ maxQueue: 100, maxWaitMs: 1_000 });

  it('is ended with the outcome when the request ends', async () => {
    const admission = watched();
    const only = engine('a');
    const router = build([only], undefined, { admission });
    await router.reason(question(), context());
    only.behaviour = lost;
    expect(await kindOf(router.reason(question(), context()))).toBe('NO_ENGINE');
    expect(admission.left).toEqual([true, false]);
  });

  it('is not ended for a refused request', async () => {
    const admission = new Watched({ maxQueue: 0, maxWaitMs: 1_000 });
    const only = engine('a');
    const { router, pool } = buildWhole([only], undefined, { admission });
    only.inFlight = pool.find('a').limit.limit;
    expect(await kindOf(router.reason(question(), context()))).toBe('ROUTER_FULL');
    expect(admission.left).toEqual([]);
  });

  it('admits a waiting request when another has ended', async () => {
    const admission = watched();
    const only = engine('a');
    let finish: () => void = () => undefined;
    only.behaviour = () => {
      only.inFlight = Infinity;
      return new Promise((resolve) => {
        finish = () => {
          only.inFlight = 0;
          resolve(fakeInference());
        };
      });
    };
    const router = build([only], undefined, { admission });
    const first = router.reason(question(), context());
    await Promise.resolve();
    const second = router.reason(question(), context());
    expect([admission.waiting, only.calls.length]).toEqual([1, 1]);
    finish();
    await first;
    await new Promise(setImmediate);
    expect([admission.waiting, only.calls.length]).toEqual([0, 2]);
    finish();
    await second;
  });
});

describe('Router.readiness', () => {
  it('is true while an engine serves the model', () => {
    const only = new FakeEngine('a');
    const router = build([only]);
    expect(router.readiness).toMatchObject({ isReady: false, why: expect.stringContaining('a: down') });
    only.up(fakeModel());
    expect(router.readiness).toMatchObject({ isReady: true });
    only.down('killed');
    expect(router.readiness.isReady).toBe(false);
  });

  it('requires as many engines as a vote needs if votes are the default', () => {
    const vote = voteSchema.parse({ on_few: 'FAIL' });
    const engines = [engine('a'), engine('b')];
    const router = build(engines, undefined, { vote, strategy: 'REDUNDANT' });
    expect(router.readiness.isReady).toBe(true);
    engines[1]!.down('killed');
    expect(router.readiness.isReady).toBe(false);
    router.strategy = 'ROUND_ROBIN';
    expect(router.readiness.isReady).toBe(true);
  });
});

describe('a cached answer that an audit contradicts', () => {
  const lie = fakeInference({ stateDigest: 66n, spikeCounts: [1, 3] });

  async function isKept(strategy: 'ROUND_ROBIN' | 'REDUNDANT', engines: FakeEngine[], rate: number): Promise<boolean> {
    const { promise: disputed, resolve: onDispute } = Promise.withResolvers<unknown>();
    const audit = new Audit({ rate, observer: silent, onDispute });
    const router = build(engines, undefined, { audit });
    const request = question({ cache: 'USE', strategy });
    expect((await router.reason(request, context())).cache).toBe('MISS');
    await disputed;
    await new Promise(setImmediate);
    return (await router.reason(request, context())).cache === 'HIT';
  }

  it('is removed', async () => {
    const engines = ['a', 'b', 'c'].map(engine);
    engines[0]!.behaviour = () => Promise.resolve(lie);
    expect(await isKept('ROUND_ROBIN', engines, 1)).toBe(false);
  });

  it('is removed if two engines contradict each other', async () => {
    const engines = ['a', 'b'].map(engine);
    engines[1]!.behaviour = () => Promise.resolve(lie);
    expect(await isKept('ROUND_ROBIN', engines, 1)).toBe(false);
  });

  it('is kept if the other engine was wrong', async () => {
    const engines = ['a', 'b', 'c'].map(engine);
    const [, liar] = engines;
    liar!.kind = 'local'; // an audit first asks an engine of another kind
    liar!.behaviour = () => Promise.resolve(lie);
    expect(await isKept('ROUND_ROBIN', engines, 1)).toBe(true);
  });

  it('is removed if a vote gave it', async () => {
    const engines = ['a', 'b', 'c', 'd', 'e'].map(engine);
    for (const liar of engines.slice(0, 2)) liar.behaviour = () => Promise.resolve(lie);
    expect(await isKept('REDUNDANT', engines, 0)).toBe(false);
  });
});

describe('Router.configure', () => {
  it('applies to the next request', async () => {
    const engines = [engine('a'), engine('b')];
    engines[0]!.behaviour = lost;
    const router = build(engines, [version(1)], { maxAttempts: 1 });
    expect(await kindOf(router.reason(question(), context()))).toBe('NO_ENGINE');
    router.configure({ maxAttempts: 2 });
    await router.reason(question(), context()); // goes to "b" first
    expect(await kindOf(router.reason(question(), context()))).toBe('answered');
  });
});

describe('an attempt', () => {
  it('is recorded with its duration, whether it fails or succeeds', async () => {
    const engines = [engine('a'), engine('b')];
    const TOOK_MS = 20;
    engines[0]!.behaviour = () => new Promise((resolve) => setTimeout(resolve, TOOK_MS)).then(draining);
    const recorded: [string, number][] = [];
    const observer = {
      ...silent,
      attemptEnded: (id: string, _outcome: string, durationMs: number) => void recorded.push([id, durationMs]),
    };
    const beganMs = performance.now();
    const { attempts } = await build(engines, undefined, { observer }).reason(question(), context());
    const mostMs = performance.now() - beganMs;
    expect(attempts.map(({ engineId, durationMs }) => [engineId, durationMs])).toEqual(recorded);
    expect(attempts[0]!.durationMs).toBeGreaterThan(TOOK_MS - 2);
    for (const { durationMs } of attempts) {
      expect(durationMs).toBeGreaterThanOrEqual(0);
      expect(durationMs).toBeLessThanOrEqual(mostMs);
    }
  });
});
