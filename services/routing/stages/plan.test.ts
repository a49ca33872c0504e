import { describe, expect, it, jest } from '@jest/globals';
import { FakeEngine, fakeInference, fakeModel } from '../../../test/fakes/fake-engine.ts';
import { silent } from '../../../test/fakes/fake-parts.ts';
import { build, buildWhole, context, engine, lost, question } from '../../../test/fakes/router-parts.ts';
import { statefulEngine } from '../../../test/fakes/stateful-engine.ts';
import { RetryBudget } from '../retry-budget.ts';
import { RouterError } from '../../core/errors.ts';

const session = {
  ...{ id: 's', caller: '', state: new Uint8Array(0), returnState: false, close: false, expectedStep: undefined },
};

describe('the plan', () => {
  it('counts the turns of each strategy separately', async () => {
    const engines = ['a', 'b'].map(engine);
    const router = build(engines);
    const engineIds: string[] = [];
    for (const strategy of ['ROUND_ROBIN', 'SIDECAR_FIRST', 'ROUND_ROBIN', 'SIDECAR_FIRST'] as const) {
      engineIds.push((await router.reason(question({ strategy }), context())).answer.engine.id);
    }
    expect(engineIds).toEqual(['a', 'a', 'b', 'b']);
  });

  it('is counted once for each request, and earns a part of the retry budget', async () => {
    const planned: string[] = [];
    const observer = { ...silent, planned: (strategy: string) => void planned.push(strategy) };
    const budget = new RetryBudget(100, 20);
    const deposit = jest.spyOn(budget, 'deposit');
    const router = build([engine('a')], undefined, { observer, budget });
    await router.reason(question(), context());
    await router.reason(question({ strategy: 'HEDGED' }), context());
    expect([planned, deposit.mock.calls.length]).toEqual([['ROUND_ROBIN', 'HEDGED'], 2]);
  });

  it('keeps its order among engines with and without free slots', async () => {
    const engines = ['a', 'b', 'c', 'd'].map(engine);
    const { router, pool } = buildWhole(engines, undefined, { maxAttempts: 4 });
    for (const full of [engines[0]!, engines[2]!]) full.inFlight = pool.find(full.id).limit.limit;
    const engineIds: string[] = [];
    for (const each of engines) {
      each.behaviour = () => {
        engineIds.push(each.id);
        return lost();
      };
    }
    await expect(router.reason(question(), context())).rejects.toMatchObject({ kind: 'NO_ENGINE' });
    expect(engineIds).toEqual(['b', 'd', 'a', 'c']);
  });

  it.each([
    [60_000, [4, 1]],
    [undefined, [3, 2]],
  ])('with slowStartMs %s gives an engine that returned its share: %j', async (slowStartMs, shares) => {
    const engines = [engine('old'), new FakeEngine('new')];
    const router = build(engines, undefined, slowStartMs === undefined ? {} : { slowStartMs });
    engines[1]!.up(fakeModel());
    const random = jest.spyOn(Math, 'random').mockReturnValue(0.5);
    const answers: (() => void)[] = [];
    for (const each of engines) {
      each.behaviour = () => new Promise((resolve) => answers.push(() => resolve(fakeInference())));
    }
    const all = [1, 2, 3, 4, 5].map(() => router.reason(question(), context()));
    await new Promise(setImmediate);
    random.mockRestore();
    for (const answer of answers) answer();
    await Promise.all(all);
    expect(engines.map(({ calls }) => calls.length)).toEqual(shares);
  });

  it('ends with NO_ENGINE and the state of the engines if none can be asked', async () => {
    const only = engine('a');
    const { router, pool } = buildWhole([only]);
    pool.find('a').breaker.trip('by hand');
    await expect(router.reason(question(), context())).rejects.toMatchObject({
      kind: 'NO_ENGINE',
      metadata: { tried: '', others: 'a: breaker open' },
    });
  });
});

describe('the plan of a message of a session', () => {
  it('has only engines that go on from states', async () => {
    const old = new FakeEngine('old').up(fakeModel());
    const router = build([old, statefulEngine('a')]);
    for (let n = 0; n < 3; n += 1) await router.reason(question({ session }), context());
    expect(old.calls).toEqual([]);
  });

  it('names the engines that cannot', async () => {
    const engines = ['old', 'older'].map((id) => new FakeEngine(id).up(fakeModel()));
    const failed = await build(engines)
      .reason(question({ session }), context())
      .catch((thrown: unknown) => RouterError.from(thrown));
    expect(failed).toMatchObject({
      kind: 'NO_ENGINE',
      message: "no engine that holds m/1 can go on from a session's state; newer builds can (asked for: old, older)",
    });
  });
});
