import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeEngine } from '../../test/fakes/fake-engine.ts';
import { fakeRecording } from '../../test/fakes/recordings.ts';
import { RouterError } from '../core/errors.ts';
import type { InferenceInput } from '../core/inference.ts';
import type { Recording } from '../engines/engine.ts';
import type { PinnedModel } from '../engines/model-pins.ts';
import type { CastBallot, Dispute } from './dispute.ts';
import { Locator } from './locate.ts';

const input: InferenceInput = { model: 'm', version: 1, shape: [2], data: new Uint8Array(8) };
const right = fakeRecording();
const wrong = fakeRecording({ state: (step) => (step >= 3 ? 99 : step) });

let engines: FakeEngine[];
let pinned: Partial<PinnedModel> | undefined;
let locator: Locator;

beforeEach(() => {
  engines = [];
  pinned = undefined;
  const pins = { find: () => pinned as PinnedModel | undefined };
  locator = new Locator({ engines: () => engines, pins, timeoutMs: 50 });
});

afterEach(() => locator.stop());

/** Adds an engine and returns its ballot; if `recording` is undefined, the engine hangs. */
function voter(
  id: string,
  outcome: CastBallot['outcome'],
  recording: Recording | RouterError | undefined,
  over: Partial<CastBallot> = {},
): CastBallot {
  const engine = new FakeEngine(id);
  engine.recorded = (input) => {
    if (recording === undefined || input !== 5n) return new Promise(() => undefined);
    return recording instanceof RouterError ? Promise.reject(recording) : Promise.resolve(recording);
  };
  engines.push(engine);
  const stateDigest = outcome === 'AGREED' ? 1n : 2n;
  return {
    ...{ engineId: id, outcome, stateDigest, readoutDigest: 3n },
    why: '',
    durationMs: 1,
    recordingId: 5n,
    ...over,
  };
}

function dispute(...ballots: CastBallot[]): Dispute {
  const wrongIds = ballots.filter(({ outcome }) => outcome === 'DISSENTED').map(({ engineId }) => engineId);
  const isWon = ballots.some(({ outcome }) => outcome === 'AGREED');
  return {
    ...{ input, strategy: 'REDUNDANT', verdict: isWon ? 'MAJORITY' : 'DISPUTED', ballots },
    wrong: isWon ? wrongIds : [],
    right: undefined,
  };
}

async function texts(...ballots: CastBallot[]): Promise<string[]> {
  return (await locator.locate(dispute(...ballots))).map(({ text }) => text);
}

const GONE = new RouterError('UNKNOWN_RECORDING', 'newer runs have taken its place');
const FIRST = 'first at step 3 in node "lif" (potentials); only potentials differed, no spike did';

describe('Locator.locate', () => {
  it('compares the dissenter with an engine that agreed', async () => {
    const [found] = await locator.locate(dispute(voter('a', 'AGREED', right), voter('b', 'DISSENTED', wrong)));
    expect(found).toMatchObject({
      ...{ engine: 'b', reference: 'a', text: `b differed from a ${FIRST}` },
      comparison: { state: { step: 3, node: 'lif' }, spike: undefined },
      raster: { node: 'lif', steps: 4, neurons: 10 },
    });
  });

  it('takes the next engine that agreed if a recording is missing or invalid', async () => {
    const odd = { ...right, nodes: [] };
    const ballots = [voter('a', 'AGREED', GONE), voter('b', 'AGREED', odd), voter('c', 'AGREED', right)];
    expect(await texts(...ballots, voter('d', 'DISSENTED', wrong))).toEqual([`d differed from c ${FIRST}`]);
  });

  it('prefers an engine that recorded its run', async () => {
    const ballots = [voter('a', 'AGREED', right, { recordingId: 0n }), voter('b', 'AGREED', right)];
    expect(await texts(...ballots, voter('c', 'DISSENTED', wrong))).toEqual([`c differed from b ${FIRST}`]);
  });

  it('names the first difference of at most four dissenters', async () => {
    const dissenters = ['b', 'c', 'd', 'e', 'f'].map((id) => voter(id, 'DISSENTED', wrong));
    expect(await texts(voter('a', 'AGREED', right), ...dissenters)).toEqual(
      ['b', 'c', 'd', 'e'].map((id) => `${id} differed from a ${FIRST}`),
    );
  });

  it('compares the first two answers if none has won, and blames neither', async () => {
    const ballots = [
      voter('a', 'DISSENTED', right, { stateDigest: 1n }),
      voter('b', 'DISSENTED', right, { stateDigest: 1n }),
      voter('c', 'DISSENTED', wrong, { stateDigest: 2n }),
      voter('d', 'DISSENTED', wrong, { stateDigest: 3n }),
    ];
    expect(await texts(...ballots)).toEqual([`c and a differed ${FIRST}`]);
  });

  it('leaves out engines that did not vote', async () => {
    const ballots = [voter('a', 'AGREED', right), voter('b', 'ABSENT', wrong), voter('c', 'DISSENTED', wrong)];
    expect(await texts(...ballots)).toEqual([`c differed from a ${FIRST}`]);
  });

  it('names the step at which an engine refused', async () => {
    const refused = fakeRecording({ steps: 2, ended: 'NON_FINITE' });
    const ballot = voter('b', 'DISSENTED', refused, { stateDigest: undefined, why: 'NON_FINITE' });
    expect(await texts(voter('a', 'AGREED', right), ballot)).toEqual([
      'b and a did the same until step 2, where b ended with NON_FINITE and a went on',
    ]);
  });
});

describe('Locator.locate, if it cannot compare,', () => {
  it.each<[string, () => CastBallot[], string]>([
    [
      'the dissenter recorded nothing',
      () => [voter('a', 'AGREED', right), voter('b', 'DISSENTED', wrong, { recordingId: 0n })],
      'it did not record that run',
    ],
    [
      'the dissenter’s recording is gone',
      () => [voter('a', 'AGREED', right), voter('b', 'DISSENTED', GONE)],
      'newer runs have taken its place',
    ],
    [
      'the dissenter does not answer',
      () => [voter('a', 'AGREED', right), voter('b', 'DISSENTED', undefined)],
      'no answer within 50 ms',
    ],
    [
      'no engine that agreed has a recording',
      () => [voter('a', 'AGREED', GONE), voter('b', 'DISSENTED', wrong)],
      'of those that agreed: a: newer runs have taken its place',
    ],
    [
      'the dissenter’s recording is impossible',
      () => [voter('a', 'AGREED', right), voter('b', 'DISSENTED', { ...wrong, steps: 2 ** 32 - 1 })],
      'its recording is not valid: its node 1 has 4 state checksums for 4294967295 steps',
    ],
    [
      'the dissenter’s recording is of another network',
      () => [voter('a', 'AGREED', right), voter('b', 'DISSENTED', { ...wrong, nodes: wrong.nodes.slice(1) })],
      'its recording cannot be compared with that of a: it holds other nodes, or in another order',
    ],
  ])('says why if %s', async (_, ballots, why) => {
    expect(await texts(...ballots())).toEqual([`where b differed is not known: ${why}`]);
  });

  it('says so if the engine has left the pool', async () => {
    const ballots = [voter('a', 'AGREED', right), voter('b', 'DISSENTED', wrong)];
    engines = engines.filter(({ id }) => id !== 'b');
    expect(await texts(...ballots)).toEqual(['where b differed is not known: it is not in the pool any more']);
  });

  it('says so if the recording contradicts the router’s model', async () => {
    pinned = { error: '', inputKind: 'constant', steps: 16, nodes: 3, outputSize: 2 };
    expect(await texts(voter('a', 'AGREED', right), voter('b', 'DISSENTED', wrong))).toEqual([
      'where b differed is not known: its recording is not valid: it holds 4 steps, and the run has 16',
    ]);
    pinned = { ...pinned, inputKind: 'series' };
    const series = dispute(voter('c', 'AGREED', right), voter('d', 'DISSENTED', wrong));
    const [found] = await locator.locate({ ...series, input: { ...input, shape: [4, 1] } });
    expect(found?.reference).toBe('c');
  });

  it('reports an internal error if an engine throws', async () => {
    const ballots = [voter('a', 'AGREED', right), voter('b', 'DISSENTED', wrong)];
    engines[1]!.recorded = () => {
      throw new Error('secret');
    };
    expect(await texts(...ballots)).toEqual(['where b differed is not known: internal error']);
  });
});

describe('Locator.locate, for many disputes at once,', () => {
  it('requests few recordings at once from one engine, without delaying the others', async () => {
    let atOnce = 0;
    const ballots = [voter('a', 'AGREED', right), voter('b', 'DISSENTED', wrong)];
    engines[1]!.recorded = () => {
      atOnce += 1;
      return new Promise(() => undefined);
    };
    const hung = Array.from({ length: 20 }, () => locator.locate(dispute(...ballots)));
    await new Promise(setImmediate);
    expect(atOnce).toBe(4);
    const other = [ballots[0]!, voter('c', 'DISSENTED', wrong)];
    expect(await texts(...other)).toEqual([`c differed from a ${FIRST}`]);
    locator.stop();
    await Promise.all(hung);
  });

  it('locates up to a limit of disputes, and reports the others as not located', async () => {
    const ballots = [voter('a', 'AGREED', right), voter('b', 'DISSENTED', undefined)];
    const found = Array.from({ length: 300 }, () => locator.locate(dispute(...ballots)));
    const last = await found.at(-1)!;
    expect(last.map(({ text }) => text)).toEqual([
      'where b differed is not known: there are too many disputes at once',
    ]);
    locator.stop();
    const all = (await Promise.all(found)).map(([first]) => first?.text ?? '');
    expect(all.filter((text) => text.includes('too many'))).toHaveLength(12);
    expect(await texts(...ballots)).toEqual(['where b differed is not known: the router is stopping']);
  });

  it('limits the bytes of the inputs that it holds', async () => {
    const half = { ...input, data: new Uint8Array(8 * 1_048_576) };
    const hanging = { ...dispute(voter('a', 'AGREED', right), voter('b', 'DISSENTED', undefined)), input: half };
    const held = [1, 2].map(() => locator.locate(hanging));
    const [third] = await locator.locate(hanging);
    expect(third?.text).toMatch(/too many disputes at once$/);
    locator.stop();
    const said = (await Promise.all(held)).map(([found]) => found?.text);
    expect(said).not.toContainEqual(expect.stringMatching(/too many/));
    const [next] = await locator.locate(hanging);
    expect(next?.text).toMatch(/the router is stopping$/);
  });
});
