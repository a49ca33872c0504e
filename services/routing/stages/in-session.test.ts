// The inputs of a session whose state is larger than they are: replayed, or made into a state first.
import { describe, expect, it } from '@jest/globals';
import { play, series } from '../../../test/fakes/session-play.ts';
import { pointOf, statefulEngine } from '../../../test/fakes/stateful-engine.ts';
import type { FakeEngine } from '../../../test/fakes/fake-engine.ts';

const layers = [
  { node: 'lif', neurons: 4, spikes: 1, spikesPerStep: [1], eventSteps: [], eventNeurons: [], eventsLeftOut: 0 },
];

/** An engine with states of `stateBytes` and more, which returns layers if they are requested. */
function detailed(stateBytes: number): FakeEngine {
  const engine = statefulEngine('a', 0, stateBytes);
  const { behaviour } = engine;
  engine.behaviour = async (input, limits) => {
    const whole = await behaviour(input, limits);
    return input.detail === 'LAYERS' ? { ...whole, layers } : whole;
  };
  return engine;
}

const runsOf = ({ calls }: FakeEngine): unknown[] => calls.map(({ input }) => [input.shape, input.returnState]);

describe('a message with layers', () => {
  const limits = { snapshotBytes: 100, snapshotSteps: 100 };

  it('is one run if no inputs are kept', async () => {
    const engine = detailed(4_000);
    const { send } = play([engine], limits, {}, true);
    await send({}, { ...series(1), detail: 'LAYERS' });
    expect(runsOf(engine)).toEqual([[[1, 3], true]]);
  });

  it('comes after a run of the kept inputs, which is one of its attempts', async () => {
    const engine = detailed(4_000);
    const { send, sessions } = play([engine], limits, {}, true);
    for (const step of [1, 2, 3]) await send({}, series(step));
    const { attempts, session } = await send({}, { ...series(4), detail: 'LAYERS' });
    expect(runsOf(engine).slice(3)).toEqual([
      [[2, 3], true],
      [[1, 3], false],
    ]);
    expect([attempts.length, session?.step]).toEqual([2, 4]);
    const { state, inputs } = sessions.find('', 's')!;
    expect([pointOf(state), inputs.length]).toEqual([{ steps: 3, sum: 6 }, 1]);
  });
});

describe('the steps of one run', () => {
  const HALF = 50_000;
  const many = series(...Array<number>(HALF).fill(0));

  it('are 100,000 at most: then the kept inputs are made into a state', async () => {
    const engine = detailed(3_000_000);
    const limits = { snapshotBytes: 100, snapshotSteps: 1_000_000, maxBytes: 1e9 };
    const { send } = play([engine], limits, {}, true);
    for (const message of [many, many, many, series(0)]) await send({}, message);
    expect(runsOf(engine)).toEqual([
      [[HALF, 3], true],
      [[HALF, 3], false],
      [[2 * HALF, 3], false],
      [[2 * HALF, 3], true],
      [[1, 3], false],
    ]);
  });
});

describe('the memory for inputs', () => {
  it('is not used if only states fit', async () => {
    const engine = detailed(4_000);
    const limits = { snapshotBytes: 100, snapshotSteps: 100 };
    const { send, sessions } = play([engine], limits, {}, true);
    await send({}, series(1));
    sessions.hasRoomForInputs = () => false;
    await send({}, series(2));
    expect(runsOf(engine)).toEqual([
      [[1, 3], true],
      [[1, 3], true],
    ]);
  });
});
