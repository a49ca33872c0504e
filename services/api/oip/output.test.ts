import { describe, expect, it } from '@jest/globals';
import { hex64 } from '../../core/hex.ts';
import { Ballot, ReasonResponse, Vote } from '../../generated/tandem/v1/reasoning.ts';
import { CacheStatus, EngineRef, Grade, Strategy } from '../../generated/tandem/v1/types.ts';
import { OUTPUTS, type OutputType, chooseOutputs, rawOf, toInferResponse } from './output.ts';

const answer = (over: Partial<ReasonResponse> = {}): ReasonResponse =>
  ReasonResponse.fromPartial({
    ...{ label: 'yes', scores: [0.75, 0.25], spikeCounts: [3, 1], potentials: [0.5, -0.5], totalSpikes: 4n },
    ...{ stateDigest: 7n, model: 'm', modelVersion: 3 },
    ...over,
  });

const shapesOf = (answers: readonly ReasonResponse[], isBatch: boolean): string[] =>
  toInferResponse(answers, OUTPUTS, { isBatch, isRaw: false }).outputs.map(
    ({ name, shape }) => `${name} ${shape.join()}`,
  );

describe('toInferResponse', () => {
  it('has tensors without a batch dimension for one item', () => {
    expect(shapesOf([answer()], false)).toEqual([
      'scores 2',
      'label 1',
      'spike_counts 2',
      'potentials 2',
      'total_spikes 1',
      'state_digest 1',
      'grade 1',
      'engine 1',
    ]);
  });

  it.each([1, 3])('has the number of items as the first dimension of a batch: %d', (count) => {
    const answers = Array.from({ length: count }, () => answer());
    expect(shapesOf(answers, true).slice(0, 2)).toEqual([`scores ${count},2`, `label ${count},1`]);
  });

  it('has the values of all items, one after the other', () => {
    const outputs = chooseOutputs({ outputs: [{ name: 'total_spikes', parameters: {} }] });
    const answers = [answer(), answer({ totalSpikes: 9n })];
    const { outputs: tensors } = toInferResponse(answers, outputs, { isBatch: true, isRaw: false });
    expect(tensors.map(({ contents }) => contents?.uint64Contents)).toEqual([[4n, 9n]]);
    const raw = toInferResponse(answers, outputs, { isBatch: true, isRaw: true });
    expect(Buffer.concat(raw.rawOutputContents)).toEqual(Buffer.from([4, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0]));
  });

  it('names the model, its version and the digest', () => {
    const { modelName, modelVersion, parameters } = toInferResponse([answer()], [], { isBatch: false, isRaw: false });
    expect([modelName, modelVersion, parameters['state_digest']?.parameterChoice?.value]).toEqual([
      'm',
      '3',
      '0000000000000007',
    ]);
  });

  it.each<[Partial<ReasonResponse>, Record<string, unknown>]>([
    [
      {},
      {
        grade: 'UNSPECIFIED',
        state_digest: hex64(7n),
        engine: '',
        strategy: 'UNSPECIFIED',
        cache: 'UNSPECIFIED',
        confidence: 0,
      },
    ],
    [
      {
        ...{ grade: Grade.GRADE_MAJORITY, strategy: Strategy.STRATEGY_HEDGED, cache: CacheStatus.CACHE_STATUS_HIT },
        ...{ engine: EngineRef.fromPartial({ engineId: 'e' }), confidence: 0.5, traceId: 't' },
      },
      { grade: 'MAJORITY', engine: 'e', strategy: 'HEDGED', cache: 'HIT', confidence: 0.5, trace_id: 't' },
    ],
  ])('has the facts of its only answer as parameters: %j', (over, expected) => {
    const { parameters } = toInferResponse([answer(over)], [], { isBatch: false, isRaw: false });
    const values = Object.entries(parameters).map(([name, { parameterChoice }]) => [name, parameterChoice?.value]);
    expect(Object.fromEntries(values)).toMatchObject(expected);
    expect('trace_id' in parameters).toBe('trace_id' in expected);
    expect('ballots' in parameters).toBe(false);
  });

  it('has the ballots of a vote as JSON', () => {
    const ballots = [Ballot.fromPartial({ engineId: 'e' })];
    const { parameters } = toInferResponse([answer({ vote: Vote.fromPartial({ ballots }) })], [], {
      isBatch: true,
      isRaw: false,
    });
    expect(JSON.parse(String(parameters['ballots']?.parameterChoice?.value))).toEqual([{ engineId: 'e' }]);
  });

  it('has no parameters for several answers', () => {
    const { parameters } = toInferResponse([answer(), answer()], [], { isBatch: true, isRaw: false });
    expect(parameters).toEqual({});
  });

  it('has raw contents or lists, never both', () => {
    const chosen = chooseOutputs({ outputs: [{ name: 'label', parameters: {} }] });
    const listed = toInferResponse([answer()], chosen, { isBatch: false, isRaw: false });
    const raw = toInferResponse([answer()], chosen, { isBatch: false, isRaw: true });
    expect(listed.outputs[0]!.contents?.bytesContents).toEqual([Buffer.from('yes')]);
    expect([listed.rawOutputContents.length, raw.outputs[0]!.contents]).toEqual([0, undefined]);
  });
});

describe('chooseOutputs', () => {
  it('refuses an output that does not exist, and names those that do', () => {
    expect(() => chooseOutputs({ outputs: [{ name: 'logits', parameters: {} }] })).toThrow(
      'there is no output "logits"; there are: scores, label',
    );
  });

  it('returns all without a choice, else the chosen ones in their order', () => {
    expect(chooseOutputs({ outputs: [] })).toBe(OUTPUTS);
    const outputs = ['engine', 'label'].map((name) => ({ name, parameters: {} }));
    expect(chooseOutputs({ outputs }).map(({ name }) => name)).toEqual(['engine', 'label']);
  });

  it('names the field of an output that does not exist', () => {
    const outputs = ['label', 'x'].map((name) => ({ name, parameters: {} }));
    expect(() => chooseOutputs({ outputs })).toThrow(
      expect.objectContaining({ violation: expect.objectContaining({ field: 'outputs[1].name' }) as unknown }),
    );
  });
});

describe('rawOf', () => {
  it.each<[OutputType, (number | bigint | string)[], number[]]>([
    ['FP32', [1, -2], [0, 0, 128, 63, 0, 0, 0, 192]],
    ['UINT32', [1, 258], [1, 0, 0, 0, 2, 1, 0, 0]],
    ['UINT64', [258n, 1n], [2, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]],
    ['BYTES', ['é', ''], [2, 0, 0, 0, 0xc3, 0xa9, 0, 0, 0, 0]],
  ])('packs %s', (datatype, values, bytes) => {
    expect([...rawOf(datatype, values)]).toEqual(bytes);
  });
});
