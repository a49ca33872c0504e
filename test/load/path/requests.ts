// The requests of the path's part, from real held-out inputs. None is answered from the cache, except those for
// measuring hits.
import { InferItem, InferRequest, InferStreamRequest } from '../../../services/generated/tandem/engine/v1/engine.ts';
import {
  PingRequest,
  ReasonBatchRequest,
  ReasonRequest,
  ReasonStreamRequest,
} from '../../../services/generated/tandem/v1/reasoning.ts';
import { CacheMode } from '../../../services/generated/tandem/v1/types.ts';
import { readHeldout } from '../../support/heldout.ts';
import type { LoadTarget } from './generator.ts';

export type Requests = Omit<LoadTarget, 'address'>;

const INPUTS = readHeldout()
  .slice(0, 256)
  .map(({ data }) => data);
const MODEL = 'supersense';
const SHAPE = [768];
export const BATCH = 64;

const items = INPUTS.map((data, id) => InferItem.fromPartial({ id: BigInt(id), model: MODEL, shape: SHAPE, data }));
const reason = (data: Buffer, cache: CacheMode): ReasonRequest =>
  ReasonRequest.fromPartial({ model: MODEL, tensor: { shape: SHAPE, data }, cache });
const uncached = INPUTS.map((data) => reason(data, CacheMode.CACHE_MODE_BYPASS));
const answerBytes = 50;

export const infer: Requests = {
  path: '/tandem.engine.v1.EngineService/Infer',
  requests: items.map((item) => InferRequest.encode({ item }).finish()),
  answerBytes,
};

export const inferStream: Requests = {
  path: '/tandem.engine.v1.EngineService/InferStream',
  requests: items.map((item) => InferStreamRequest.encode(InferStreamRequest.fromPartial({ items: [item] })).finish()),
  answerBytes,
  stream: 'RESULTS',
};

export const reasonUncached: Requests = {
  path: '/tandem.v1.ReasoningService/Reason',
  requests: uncached.map((request) => ReasonRequest.encode(request).finish()),
  answerBytes,
};

export const reasonCached: Requests = {
  ...reasonUncached,
  requests: INPUTS.map((data) => ReasonRequest.encode(reason(data, CacheMode.CACHE_MODE_USE)).finish()),
};

export const reasonBatch: Requests = {
  path: '/tandem.v1.ReasoningService/ReasonBatch',
  requests: Array.from({ length: Math.floor(uncached.length / BATCH) }, (_, at) =>
    ReasonBatchRequest.encode({ requests: uncached.slice(at * BATCH, (at + 1) * BATCH) }).finish(),
  ),
  answerBytes: BATCH * answerBytes,
};

export const reasonStream: Requests = {
  path: '/tandem.v1.ReasoningService/ReasonStream',
  requests: uncached.map((request, id) =>
    ReasonStreamRequest.encode({ request: { ...request, requestId: String(id) } }).finish(),
  ),
  answerBytes,
  stream: 'MESSAGES',
};

export const ping: Requests = {
  path: '/tandem.v1.ReasoningService/Ping',
  requests: [PingRequest.encode({}).finish()],
  answerBytes: 4,
};
