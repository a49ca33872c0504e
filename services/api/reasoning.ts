// ReasoningService: bytes to question, answer to message.
import { randomUUID } from 'node:crypto';
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { RouterError } from '../core/errors.ts';
import { serializer } from '../core/serialize.ts';
import {
  type PingRequest,
  type PingResponse,
  ReasonRequest,
  ReasonResponse,
  ReasoningServiceService,
} from '../generated/tandem/v1/reasoning.ts';
import { ReasonRequestWire } from '../generated/tandem/wire/v1/wire.ts';
import type { ReasonAnswer, ReasonQuestion, Router } from '../routing/router.ts';
import type { RawInput } from '../routing/validate.ts';
import { fromKind, fromStrategy, toStrategyName } from './enums.ts';
import { type UnaryContext, type UnaryOptions, decoder, unary } from './unary.ts';

const MAX_REQUEST_ID_BYTES = 128;

/** As generated, but for the request of Reason, whose numbers stay bytes (proto/tandem/wire/v1/wire.proto). */
export const reasoningService = {
  ping: {
    ...ReasoningServiceService.ping,
    requestDeserialize: decoder(ReasoningServiceService.ping.requestDeserialize),
  },
  reason: {
    ...ReasoningServiceService.reason,
    requestDeserialize: decoder(decodeReasonRequest),
    responseSerialize: serializer(ReasonResponse.encode, () => new BinaryWriter()),
  },
};

export function reasoningHandlers(router: Router, options: UnaryOptions): UntypedServiceImplementation {
  return {
    ping: unary<PingRequest, PingResponse>(options, (_request, { startedMs }) => ({
      message: 'pong',
      serverTimeMs: BigInt(Date.now()),
      processingTimeMs: performance.now() - startedMs,
    })),
    reason: unary<ReasonRequestWire, ReasonResponse>(options, async (request, context) => {
      const answer = await router.reason(toQuestion(request), context);
      return toResponse(request.requestId || randomUUID(), answer, context);
    }),
  };
}

/** Clients may also send a repeated float unpacked, one tag a number: rare, so only then is it read number by number. */
export function decodeReasonRequest(bytes: Buffer): ReasonRequestWire {
  const wire = ReasonRequestWire.decode(bytes);
  if (wire.encoding.length > 0 || wire.tensor !== undefined) return wire;
  const { encoding } = ReasonRequest.decode(bytes);
  const packed = Buffer.alloc(encoding.length * 4);
  encoding.forEach((value, index) => packed.writeFloatLE(value, index * 4));
  return { ...wire, encoding: [packed] };
}

function toQuestion(request: ReasonRequestWire): ReasonQuestion {
  if (Buffer.byteLength(request.requestId) > MAX_REQUEST_ID_BYTES) {
    throw new RouterError('INVALID_FIELD', `request_id is over ${MAX_REQUEST_ID_BYTES} bytes; send a shorter one`, {
      field: 'request_id',
    });
  }
  return {
    model: request.model,
    modelVersion: request.modelVersion,
    input: toRawInput(request),
    strategy: toStrategyName(request.strategy),
  };
}

function toRawInput({ encoding, tensor }: ReasonRequestWire): RawInput {
  const data = encoding.length === 1 ? (encoding[0] ?? Buffer.alloc(0)) : Buffer.concat(encoding);
  if (tensor === undefined) return { field: 'encoding', shape: [data.length / 4], dtype: 'FP32', data };
  if (data.length > 0) {
    throw new RouterError('INVALID_FIELD', 'encoding and tensor are both set; send one of them', { field: 'tensor' });
  }
  return { field: 'tensor', shape: tensor.shape, dtype: tensor.dtype, data: tensor.data };
}

function toResponse(requestId: string, answer: ReasonAnswer, { startedMs }: UnaryContext): ReasonResponse {
  const { inference, engine, attempts } = answer;
  const totalMs = performance.now() - startedMs;
  return {
    requestId,
    label: answer.label,
    labelIndex: answer.labelIndex,
    confidence: answer.confidence,
    scores: answer.scores as number[],
    spikeCounts: inference.spikeCounts as number[],
    totalSpikes: BigInt(inference.totalSpikes),
    synapticOperations: BigInt(inference.synapticOperations),
    stateDigest: inference.stateDigest,
    model: answer.model.name,
    modelVersion: answer.model.version,
    steps: inference.steps,
    engine: { engineId: engine.id, kind: fromKind(engine.kind), build: engine.build },
    strategy: fromStrategy(answer.strategy),
    attempts: attempts.map(({ engineId, outcome, durationMs }) => ({
      engineId,
      outcome,
      durationUs: toUs(durationMs),
    })),
    timing: {
      queueUs: inference.queueUs,
      engineUs: toUs(attempts.at(-1)?.durationMs ?? 0),
      computeUs: inference.computeUs,
      totalUs: toUs(totalMs),
    },
    processingTimeMs: totalMs,
  };
}

function toUs(ms: number): number {
  return Math.round(ms * 1_000);
}
