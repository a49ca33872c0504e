import { describe, expect, it } from '@jest/globals';
import { FakeEngine, fakeModel } from '../../test/fakes/fake-engine.ts';
import { silent } from '../../test/fakes/fake-parts.ts';
import { kindOf, lost } from '../../test/fakes/router-parts.ts';
import { play, series } from '../../test/fakes/session-play.ts';
import { goOn, pointOf, stateOf, statefulEngine } from '../../test/fakes/stateful-engine.ts';
import { RouterError } from '../core/errors.ts';
import { Audit } from './audit.ts';

describe('a message of a session', () => {
  it('starts from the state of the previous message, on any engine', async () => {
    const engines = [statefulEngine('a'), statefulEngine('b')];
    const { send, sessions } = play(engines);
    const first = await send();
    const second = await send();
    expect([first.session, second.session]).toEqual([
      { id: 's', step: 16, state: undefined, opened: true },
      { id: 's', step: 32, state: undefined, opened: false },
    ]);
    expect(first.answer.engine.id).not.toBe(second.answer.engine.id);
    expect(pointOf(sessions.find('', 's')!.state)).toEqual({ steps: 32, sum: 6 * 32 });
    expect(sessions.stats).toMatchObject({ open: 1, moved: 1 });
  });

  it('does not end the session when its answers turn out to be wrong after it failed', async () => {
    const foundWrong: (() => void)[] = [];
    const audit = new Audit({ rate: 0, observer: silent, onDispute: () => undefined });
    audit.maybeAudit = (_claims, _engines, _audited, onWrong) => void foundWrong.push(onWrong);
    const a = statefulEngine('a');
    const { send } = play([a], {}, { audit });
    const { behaviour } = a;
    const gate = Promise.withResolvers<undefined>();
    a.behaviour = () => {
      a.behaviour = (...call) => gate.promise.then(() => behaviour(...call));
      return lost();
    };
    const failing = send();
    const opening = send();
    await expect(failing).rejects.toMatchObject({ kind: 'NO_ENGINE' });
    foundWrong[0]!();
    gate.resolve(undefined);
    expect((await opening).session).toMatchObject({ step: 16, opened: true });
    expect((await send()).session).toMatchObject({ step: 32, opened: false });
  });

  it('is neither cached nor coalesced', async () => {
    const a = statefulEngine('a');
    const { send } = play([a]);
    const answers = await Promise.all([send({}, { cache: 'USE' }), send({}, { cache: 'USE' })]);
    expect(answers.map(({ cache, session }) => [cache, session?.step])).toEqual([
      ['BYPASSED', 16],
      ['BYPASSED', 32],
    ]);
    expect(a.calls).toHaveLength(2);
  });

  it('waits for earlier messages of its session', async () => {
    const a = statefulEngine('a');
    const answers: (() => void)[] = [];
    a.behaviour = async (input) => {
      await new Promise<void>((resolve) => answers.push(resolve));
      return goOn(input);
    };
    const { send } = play([a]);
    const all = Promise.all([send(), send(), send()]);
    for (let n = 1; n <= 3; n += 1) {
      await new Promise(setImmediate);
      expect(a.calls).toHaveLength(n);
      answers.shift()!();
    }
    expect((await all).map(({ session }) => session?.step)).toEqual([16, 32, 48]);
  });

  it('is retried from the same state if its engine is lost', async () => {
    const [a, b] = [statefulEngine('a'), statefulEngine('b')];
    const { send, sessions } = play([a, b]);
    await send();
    a.behaviour = b.behaviour;
    const honest = b.behaviour;
    b.behaviour = lost;
    a.behaviour = honest;
    const answers = [await send(), await send(), await send()];
    expect(answers.map(({ session }) => session?.step)).toEqual([32, 48, 64]);
    expect(pointOf(sessions.find('', 's')!.state).sum).toBe(6 * 64);
  });

  it('does not change the state if it fails', async () => {
    const a = statefulEngine('a');
    const { send } = play([a]);
    await send();
    const honest = a.behaviour;
    a.behaviour = () => Promise.reject(new RouterError('NON_FINITE', 'overflow'));
    expect(await kindOf(send())).toBe('NON_FINITE');
    a.behaviour = honest;
    expect((await send({ expectedStep: 16 })).session?.step).toBe(32);
  });

  it('returns the state on request, and another router resumes from it', async () => {
    const { session } = await play([statefulEngine('a')]).send({ returnState: true });
    const answer = await play([statefulEngine('b')]).send({ state: session!.state!, expectedStep: 16 });
    expect(answer.session).toMatchObject({ step: 32, opened: true });
  });

  it('closes its session after the answer', async () => {
    const { send, sessions } = play([statefulEngine('a')]);
    await send();
    expect((await send({ close: true })).session?.step).toBe(32);
    expect([sessions.stats.open, sessions.stats.bytes]).toEqual([0, 0]);
    expect(await kindOf(send({ expectedStep: 32 }))).toBe('SESSION_UNKNOWN');
  });

  it('is refused if its session was closed while it waited', async () => {
    const { send } = play([statefulEngine('a')]);
    const [closing, late] = [send({ close: true }), send()];
    await closing;
    expect(await kindOf(late)).toBe('SESSION_UNKNOWN');
  });

  it('must name the model of the session', async () => {
    const { send } = play([new FakeEngine('a')].map((a) => able(a)));
    await send({}, { modelVersion: 1 });
    expect((await send()).model.version).toBe(1);
    expect(await kindOf(send({}, { modelVersion: 2 }))).toBe('SESSION_MODEL');
    expect((await send()).session?.step).toBe(48);
  });

  it('is refused if its state is of another model', async () => {
    const state = stateOf({ steps: 16, sum: 1 }, 8n);
    expect(await kindOf(play([statefulEngine('a')]).send({ state }))).toBe('STATE_MODEL');
  });

  it('never goes to an engine that does not take states', async () => {
    const old = new FakeEngine('old').up(fakeModel());
    expect(await kindOf(play([old]).send())).toBe('NO_ENGINE');
    const { send } = play([old, statefulEngine('a')]);
    for (let n = 0; n < 4; n += 1) expect((await send()).answer.engine.id).toBe('a');
  });

  it('reports only its own work, not that of earlier messages', async () => {
    const { send } = play([statefulEngine('a')]);
    await send();
    const { attempts, answer } = await send();
    expect([answer.inference.synapticOperations, attempts[0]!.work!.synapticOperations]).toEqual([320n, 160n]);
  });

  it('ends its session if an audit finds its answer wrong', async () => {
    const engines = ['a', 'b', 'c'].map((id) => statefulEngine(id));
    let calls = 0;
    for (const engine of engines) {
      const compute = engine.behaviour;
      const wrong = Buffer.from(new Float32Array([9, 9, 9]).buffer);
      engine.behaviour = (input, limits) => compute((calls += 1) === 1 ? { ...input, data: wrong } : input, limits);
    }
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const audit = new Audit({ rate: 1, observer: silent, onDispute: resolve });
    const { send, sessions } = play(engines, {}, { audit });
    await send();
    await promise;
    expect(sessions.find('', 's')).toBeUndefined();
  });

  it('ends its session if its model was replaced', async () => {
    const a = statefulEngine('a');
    const { send, sessions } = play([a]);
    await send();
    sessions.find('', 's')!.model = { name: 'm', version: 1, modelId: 9n };
    expect(await kindOf(send())).toBe('SESSION_MODEL');
    expect(sessions.stats.ended.MODEL).toBe(1);
    expect(await kindOf(send({ expectedStep: 16 }))).toBe('SESSION_UNKNOWN');
  });
});

function stepsOf(state: Uint8Array): number {
  return state.length === 0 ? 0 : pointOf(state).steps;
}

/** Serves both versions of the model. */
function able(engine: FakeEngine): FakeEngine {
  engine.takesStates = true;
  engine.behaviour = (input) => Promise.resolve({ ...goOn(input), modelVersion: input.version });
  return engine.up(fakeModel(), fakeModel({ version: 2 }));
}

describe('a vote on a message of a session', () => {
  it('gives every engine the same state and keeps the winner’s new state', async () => {
    const engines = ['a', 'b', 'c'].map((id) => statefulEngine(id));
    engines[0]!.behaviour = (input) => Promise.resolve(goOn({ ...input, data: Buffer.alloc(12) }));
    const { send, sessions } = play(engines, {}, {});
    for (let n = 1; n <= 4; n += 1) {
      const { session, grade } = await send({}, { strategy: 'REDUNDANT' });
      expect([session?.step, grade]).toEqual([16 * n, 'MAJORITY']);
      expect(pointOf(sessions.find('', 's')!.state)).toEqual({ steps: 16 * n, sum: 6 * 16 * n });
    }
    for (const { calls } of engines) {
      // An engine that voted with digests only may be asked for the full answer, too.
      expect([...new Set(calls.map(({ input }) => stepsOf(input.state!)))]).toEqual([0, 16, 32, 48]);
    }
  });

  it('compares the states that are not in the state digest', async () => {
    const engines = ['a', 'b', 'c'].map((id) => statefulEngine(id));
    engines[1]!.behaviour = (input) => Promise.resolve(goOn(input, 16, 4));
    const { send, sessions } = play(engines);
    const { answer } = await send({}, { strategy: 'REDUNDANT' });
    expect(answer.ballots.map(({ outcome }) => outcome).sort()).toEqual(['AGREED', 'AGREED', 'DISSENTED']);
    expect(sessions.find('', 's')!.state).toHaveLength(stateOf({ steps: 16, sum: 96 }).length);
  });
});

describe('a session whose state is larger than its inputs', () => {
  const LARGE = 4_000;
  const limits = { snapshotBytes: 100, snapshotSteps: 4 };

  it('requests the state every few steps, and replays the inputs since then', async () => {
    const a = statefulEngine('a', 0, LARGE);
    const { send, sessions } = play([a], limits, {}, true);
    const expected = [1, 2, 3, 4, 5, 6, 7, 8];
    let sum = 0;
    for (const value of expected) {
      sum += value;
      const { session, answer } = await send({}, series(value));
      expect([session?.step, answer.inference.steps]).toEqual([value, value]);
    }
    expect(a.calls.map(({ input }) => [input.shape[0], input.returnState])).toEqual([
      [1, true],
      [1, false],
      [2, false],
      [3, false],
      [4, true],
      [1, false],
      [2, false],
      [3, false],
    ]);
    const last = await send({ returnState: true }, series(0));
    expect(pointOf(last.session!.state!)).toEqual({ steps: 9, sum });
    expect(sessions.find('', 's')!.inputs).toEqual([]);
  });

  it('returns the layers of the last message only', async () => {
    const a = statefulEngine('a', 0, LARGE);
    const { send } = play([a], limits, {}, true);
    await send({}, series(1));
    await send({}, series(2));
    a.behaviour = (input) => {
      const layers = [
        { node: 'lif', neurons: 4, spikes: 1, spikesPerStep: [1], eventSteps: [], eventNeurons: [], eventsLeftOut: 0 },
      ];
      const whole = goOn(input, 0, LARGE);
      return Promise.resolve(input.detail === 'LAYERS' ? { ...whole, layers } : whole);
    };
    await send({}, { ...series(3), detail: 'LAYERS' });
    const [compacting, request] = a.calls.slice(-2);
    expect([compacting!.input.shape[0], compacting!.input.returnState, request!.input.shape[0]]).toEqual([1, true, 1]);
    expect(pointOf(request!.input.state!)).toEqual({ steps: 2, sum: 3 });
  });
});
