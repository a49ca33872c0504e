import { describe, expect, it } from '@jest/globals';
import { voteSchema } from '../config/vote.ts';
import { type ReadinessEngine, demandOf, readiness } from './readiness.ts';
import { toPolicy } from './vote-policy.ts';

const policy = (over: object = {}): ReturnType<typeof toPolicy> => toPolicy(voteSchema.parse(over));
const engine = (id: string, over: Partial<ReadinessEngine> = {}): ReadinessEngine => ({
  id,
  kind: 'sidecar',
  unavailableReason: '',
  modelProblems: [],
  ...over,
});

describe('demandOf', () => {
  it.each([
    ['one engine without a vote', undefined, 0, { engines: 1, kinds: 1 }],
    ['a majority of the participants if a vote of too few fails', policy(), 0, { engines: 2, kinds: 1 }],
    ['all participants if the vote must be unanimous', policy({ agreement: 'UNANIMOUS' }), 0, { engines: 3 }],
    ['as many kinds as vote.distinct_kinds', policy({ distinct_kinds: 2 }), 0, { engines: 2, kinds: 2 }],
    [
      'one engine if a degraded vote is accepted',
      policy({ on_few: 'ACCEPT_DEGRADED', distinct_kinds: 2 }),
      0,
      { engines: 1, kinds: 1 },
    ],
    ['the number that the operator has set', policy(), 5, { engines: 5, kinds: 1 }],
  ])('requires %s', (_, voted, minEngines, demand) => {
    expect(demandOf(voted, minEngines)).toMatchObject(demand);
  });
});

describe('readiness', () => {
  const two = [engine('engine-1'), engine('engine-2')];

  it('is true with enough engines', () => {
    const view = { engines: two, model: 'toy/1', able: two };
    expect(readiness(view, demandOf(policy(), 0))).toEqual({
      isReady: true,
      why: '2 of 2 engines ready for toy/1',
    });
  });

  it('names each engine that is not ready, with the reason', () => {
    const engines = [...two, engine('engine-3', { unavailableReason: 'down: refused' })];
    expect(readiness({ engines, model: 'toy/1', able: two }, demandOf(policy(), 0))).toEqual({
      isReady: true,
      why: '2 of 3 engines ready for toy/1; not ready: engine-3: down: refused',
    });
  });

  it('is false with too few engines, and says why', () => {
    const engines = [two[0]!, engine('engine-2', { unavailableReason: 'down: refused' })];
    const { isReady, why } = readiness({ engines, model: 'toy/1', able: [two[0]!] }, demandOf(policy(), 0));
    expect([isReady, why]).toEqual([
      false,
      '1 of 2 engines ready for toy/1, and the vote (setting vote.on_few) needs 2: engine-2: down: refused; ' +
        'start or mend engines (see "npx tandem engines"), or change what is needed',
    ]);
  });

  it('is false if no engine holds the model', () => {
    const { isReady, why } = readiness({ engines: two, model: 'toy/1', able: [] }, demandOf(undefined, 0));
    expect([isReady, why]).toEqual([false, expect.stringContaining('engine-1: does not hold toy/1')]);
  });

  it('is false if all engines are of one kind and a vote needs two', () => {
    const view = { engines: two, model: 'toy/1', able: two };
    const { isReady, why } = readiness(view, demandOf(policy({ distinct_kinds: 2 }), 0));
    expect([isReady, why]).toEqual([false, expect.stringContaining('needs 2 kinds, and all are of kind sidecar')]);
  });
});
