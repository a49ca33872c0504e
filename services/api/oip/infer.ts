// ModelInfer: converts an input tensor to Reason calls, and their answers to output tensors.
import type { CallerAccount } from '../../auth/caller-account.ts';
import { Turns } from '../../core/turns.ts';
import { RouterError, isErrorKind } from '../../core/errors.ts';
import type { ModelInferRequest, ModelInferResponse } from '../../generated/inference/grpc_service.ts';
import { type ReasonError, ReasonRequest, ReasonResponse } from '../../generated/tandem/v1/reasoning.ts';
import { CacheMode, Strategy } from '../../generated/tandem/v1/types.ts';
import type { Router } from '../../routing/router.ts';
import { BatchRoom } from '../batch-room.ts';
import { type BatchOptions, reasonBatch } from '../reason-batch.ts';
import type { ReasoningOptions } from '../reasoning.ts';
import type { UnaryContext } from '../unary.ts';
import type { Catalogue } from './catalogue.ts';
import { invalid } from './errors.ts';
import { readItems, textParameter } from './input.ts';
import { chooseOutputs, toInferResponse } from './output.ts';
import type { InferenceStatistics } from './statistics.ts';

/** The name under which an item is counted. */
const TYPE = 'ModelInfer.item';
const TRACE_NAME = `inference.GRPCInferenceService/${TYPE}`;

interface InferParts {
  readonly router: Router;
  readonly catalogue: Catalogue;
  readonly statistics: InferenceStatistics;
}

export type InferOptions = ReasoningOptions & Omit<BatchOptions, 'turns' | 'type' | 'traceName'>;

/**
 * Answers one request. `form`: form of the outputs, by default that of the input. `isPaid`: the call has already
 * charged its caller for one item. Throws RouterError.
 */
export type Infer = (
  request: ModelInferRequest,
  context: UnaryContext,
  form?: 'RAW' | 'LISTS',
  isPaid?: boolean,
) => Promise<ModelInferResponse>;

export function inferWith({ router, catalogue, statistics }: InferParts, options: InferOptions): Infer {
  const turns = new Turns();
  const room = new BatchRoom();
  return async (request, context, form = request.rawInputContents.length > 0 ? 'RAW' : 'LISTS', isPaid = true) => {
    const model = catalogue.find(request.modelName, request.modelVersion);
    const outputs = chooseOutputs(request);
    const { isBatch, inputs } = readItems(request, catalogue.itemShape(model), options.maxBatchItems);
    const shared = {
      model: model.name,
      modelVersion: model.version,
      strategy: choice(request, 'strategy', Strategy, 'STRATEGY_'),
      cache: choice(request, 'cache', CacheMode, 'CACHE_MODE_'),
    };
    const owner = context.owner as CallerAccount | undefined;
    owner?.enter(inputs.length, isPaid);
    const requests = inputs.map((input) =>
      ReasonRequest.encode(ReasonRequest.fromPartial({ ...shared, ...input })).finish(),
    );
    let leave = (): void => undefined;
    try {
      leave = room.enter(requests.length, options.maxInFlight);
      const outcomes = await reasonBatch(requests, router, context, {
        ...options,
        turns,
        type: TYPE,
        traceName: TRACE_NAME,
      });
      const answers = outcomes.map((outcome, index) => {
        if (outcome.$case === 'error') throw toError(outcome.value, isBatch ? index : undefined);
        return ReasonResponse.decode(outcome.value);
      });
      for (const answer of answers) statistics.answered(answer);
      return { ...toInferResponse(answers, outputs, { isBatch, isRaw: form === 'RAW' }), id: request.id };
    } catch (thrown) {
      statistics.failed(model.name, model.version, (performance.now() - context.startedMs) * 1_000);
      throw thrown;
    } finally {
      leave();
      owner?.left(inputs.length);
    }
  };
}

/** `index`: of the item in its batch. */
function toError({ reason, message, field }: ReasonError, index: number | undefined): RouterError {
  const text = index === undefined ? message : `item ${index}: ${message}`;
  return new RouterError(isErrorKind(reason) ? reason : 'INTERNAL', text, field === '' ? {} : { field });
}

function choice<Value extends number>(
  { parameters }: ModelInferRequest,
  name: string,
  values: Readonly<Record<string, Value>>,
  prefix: string,
): Value {
  const text = textParameter(parameters, name);
  const value = values[`${prefix}${text || 'UNSPECIFIED'}`];
  if (value !== undefined) return value;
  const known = Object.keys(values)
    .filter((key) => key.startsWith(prefix) && !key.endsWith('UNSPECIFIED'))
    .map((key) => key.slice(prefix.length));
  throw invalid(`parameters.${name}`, `parameter ${name} is "${text.slice(0, 64)}"; send one of ${known.join(', ')}`);
}
