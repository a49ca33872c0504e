// Builds the output tensors from the answers of a request's items.
import { withoutPrefix } from '../../core/enum-name.ts';
import { hex64 } from '../../core/hex.ts';
import type { InferParameter, InferTensorContents, ModelInferRequest } from '../../generated/inference/grpc_service.ts';
import { InferTensorContents as Contents, ModelInferResponse } from '../../generated/inference/grpc_service.ts';
import { Ballot, type ReasonResponse } from '../../generated/tandem/v1/reasoning.ts';
import { cacheStatusToJSON, gradeToJSON, strategyToJSON } from '../../generated/tandem/v1/types.ts';
import { invalid } from './errors.ts';

export type OutputType = 'FP32' | 'UINT32' | 'UINT64' | 'BYTES';

interface Output {
  readonly name: string;
  readonly datatype: OutputType;
  /** Elements of one item: one per label or output of the model, or one. */
  readonly length: 'labels' | 'outputs' | 1;
  readonly values: (answer: ReasonResponse) => readonly (number | bigint | string)[];
}

/** In the order in which they are given. */
export const OUTPUTS: readonly Output[] = [
  { name: 'scores', datatype: 'FP32', length: 'labels', values: ({ scores }) => scores },
  { name: 'label', datatype: 'BYTES', length: 1, values: ({ label }) => [label] },
  { name: 'spike_counts', datatype: 'UINT32', length: 'outputs', values: ({ spikeCounts }) => spikeCounts },
  { name: 'potentials', datatype: 'FP32', length: 'outputs', values: ({ potentials }) => potentials },
  { name: 'total_spikes', datatype: 'UINT64', length: 1, values: ({ totalSpikes }) => [totalSpikes] },
  { name: 'state_digest', datatype: 'UINT64', length: 1, values: ({ stateDigest }) => [stateDigest] },
  { name: 'grade', datatype: 'BYTES', length: 1, values: ({ grade }) => [withoutPrefix(gradeToJSON(grade), 'GRADE_')] },
  { name: 'engine', datatype: 'BYTES', length: 1, values: ({ engine }) => [engine?.engineId ?? ''] },
];

export function chooseOutputs({ outputs }: Pick<ModelInferRequest, 'outputs'>): readonly Output[] {
  if (outputs.length === 0) return OUTPUTS;
  return outputs.map(({ name }, index) => {
    const output = OUTPUTS.find((each) => each.name === name);
    if (output !== undefined) return output;
    const known = OUTPUTS.map((each) => each.name).join(', ');
    throw invalid(`outputs[${index}].name`, `there is no output "${name}"; there are: ${known}`);
  });
}

interface AnswerShape {
  readonly isBatch: boolean;
  readonly isRaw: boolean;
}

export function toInferResponse(
  answers: readonly ReasonResponse[],
  outputs: readonly Output[],
  { isBatch, isRaw }: AnswerShape,
): ModelInferResponse {
  const [first] = answers;
  const response = ModelInferResponse.create();
  response.modelName = first?.model ?? '';
  response.modelVersion = String(first?.modelVersion ?? '');
  if (first !== undefined && answers.length === 1) response.parameters = parametersOf(first);
  for (const { name, datatype, values } of outputs) {
    const lists = answers.map(values);
    const shape = [...(isBatch ? [BigInt(lists.length)] : []), BigInt(lists[0]?.length ?? 0)];
    const all = lists.flat();
    response.outputs.push({
      ...{ name, datatype, shape, parameters: {} },
      contents: isRaw ? undefined : contentsOf(datatype, all),
    });
    if (isRaw) response.rawOutputContents.push(rawOf(datatype, all));
  }
  return response;
}

function parametersOf(answer: ReasonResponse): Record<string, InferParameter> {
  const { grade, engine, strategy, cache, confidence, traceId, stateDigest, vote } = answer;
  const text = (value: string): InferParameter => ({ parameterChoice: { $case: 'stringParam', value } });
  return {
    grade: text(withoutPrefix(gradeToJSON(grade), 'GRADE_')),
    state_digest: text(hex64(stateDigest)),
    engine: text(engine?.engineId ?? ''),
    strategy: text(withoutPrefix(strategyToJSON(strategy), 'STRATEGY_')),
    cache: text(withoutPrefix(cacheStatusToJSON(cache), 'CACHE_STATUS_')),
    confidence: { parameterChoice: { $case: 'doubleParam', value: confidence } },
    ...(traceId === '' ? {} : { trace_id: text(traceId) }),
    ...(vote === undefined ? {} : { ballots: text(JSON.stringify(vote.ballots.map((each) => Ballot.toJSON(each)))) }),
  };
}

type Values = readonly (number | bigint | string)[];

function contentsOf(datatype: OutputType, values: Values): InferTensorContents {
  const contents = Contents.create();
  if (datatype === 'FP32') contents.fp32Contents = values as number[];
  else if (datatype === 'UINT32') contents.uintContents = values as number[];
  else if (datatype === 'UINT64') contents.uint64Contents = values as bigint[];
  else contents.bytesContents = (values as string[]).map((value) => Buffer.from(value));
  return contents;
}

/** Little-endian; a text after its length in four bytes. */
export function rawOf(datatype: OutputType, values: Values): Buffer {
  if (datatype === 'BYTES') {
    return Buffer.concat(
      (values as string[]).map((value) => {
        const bytes = Buffer.from(value);
        const length = Buffer.alloc(4);
        length.writeUInt32LE(bytes.length);
        return Buffer.concat([length, bytes]);
      }),
    );
  }
  const size = datatype === 'UINT64' ? 8 : 4;
  const raw = Buffer.alloc(values.length * size);
  for (const [index, value] of values.entries()) {
    if (datatype === 'FP32') raw.writeFloatLE(value as number, index * size);
    else if (datatype === 'UINT32') raw.writeUInt32LE(value as number, index * size);
    else raw.writeBigUInt64LE(value as bigint, index * size);
  }
  return raw;
}
