import { describe, expect, it } from '@jest/globals';
import { ReasonResponse } from '../../generated/tandem/v1/reasoning.ts';
import { OUTPUTS, chooseOutputs, toInferResponse } from './output.ts';

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
});

describe('chooseOutputs', () => {
  it('refuses an output that does not exist, and names those that do', () => {
    expect(() => chooseOutputs({ outputs: [{ name: 'logits', parameters: {} }] })).toThrow(
      'there is no output "logits"; there are: scores, label',
    );
  });
});
