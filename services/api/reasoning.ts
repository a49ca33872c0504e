// ReasoningService: Ping, Reason and ReasonBatch; ReasonStream has a file of its own.
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { RouterError } from '../core/errors.ts';
import { serializer } from '../core/serialize.ts';
import {
  type PingRequest,
  type PingResponse,
  type ReasonBatchResponse,
  type ReasonBatchResult,
  ReasonResponse,
  ReasoningServiceService,
} from '../generated/tandem/v1/reasoning.ts';
import {
  ReasonBatchRequestWire,
  type ReasonRequestWire,
  ReasonStreamRequestWire,
} from '../generated/tandem/wire/v1/wire.ts';
import type { ReasonQuestion } from '../routing/question.ts';
import type { Router } from '../routing/router.ts';
import { LayerRoom } from './layer-room.ts';
import { reasonItem } from './reason-item.ts';
import { decodeReasonRequest, toQuestion, toResponse } from './reason-messages.ts';
import { type StreamOptions, reasonStream } from './reason-stream.ts';
import { beginTrace, noteAnswer } from './traced.ts';
import { type UnaryContext, decoding, unary } from './unary.ts';

export interface ReasoningOptions extends StreamOptions {
  /** Requests in one ReasonBatch. */
  readonly maxBatchItems: number;
}

/** As generated, but for requests of Reason, whose numbers stay bytes (proto/tandem/wire/v1/wire.proto). */
export const reasoningService = decoding({
  ...ReasoningServiceService,
  reason: {
    ...ReasoningServiceService.reason,
    requestDeserialize: decodeReasonRequest,
    responseSerialize: serializer(ReasonResponse.encode, () => new BinaryWriter()),
  },
  reasonBatch: {
    ...ReasoningServiceService.reasonBatch,
    requestDeserialize: (bytes) => ReasonBatchRequestWire.decode(bytes),
  },
  reasonStream: {
    ...ReasoningServiceService.reasonStream,
    requestDeserialize: (bytes) => ReasonStreamRequestWire.decode(bytes),
  },
});

export function reasoningHandlers(router: Router, options: ReasoningOptions): UntypedServiceImplementation {
  const { tracing } = options;
  return {
    ping: unary<PingRequest, PingResponse>(options, (_request, { startedMs }) => ({
      message: 'pong',
      serverTimeMs: BigInt(Date.now()),
      processingTimeMs: performance.now() - startedMs,
    })),
    reason: unary<ReasonRequestWire, ReasonResponse>(
      options,
      async (request, { deadlineMs, signal, startedMs, trace }) => {
        const span = trace && tracing.spanOf(trace);
        const answer = await router.reason(toQuestion(request), { deadlineMs, signal, span });
        noteAnswer(span, answer);
        return toResponse(request.requestId, answer, startedMs, trace?.traceId);
      },
      undefined,
      (call, startedMs) => beginTrace(tracing, 'Reason', call.metadata, startedMs),
    ),
    reasonBatch: unary<ReasonBatchRequestWire, ReasonBatchResponse>(options, async ({ requests }, context) => {
      const { maxBatchItems } = options;
      if (requests.length > maxBatchItems) {
        const message = `${requests.length} requests in one batch, ${maxBatchItems} are the most; send several batches`;
        throw new RouterError('BATCH_TOO_LARGE', message, { field: 'requests' });
      }
      return {
        results: await reasonEach(requests, router, context, options),
        processingTimeMs: performance.now() - context.startedMs,
      };
    }),
    reasonStream: reasonStream(router, options),
  };
}

/** In the order of the requests, `windowSize` of them under way at once. */
async function reasonEach(
  requests: readonly Uint8Array[],
  router: Router,
  context: UnaryContext,
  options: ReasoningOptions,
): Promise<ReasonBatchResult[]> {
  const type = 'ReasonBatch.item';
  const results: ReasonBatchResult[] = Array.from({ length: requests.length });
  const queue = requests.entries(); // shared: whoever is free takes the next one
  const room = new LayerRoom();
  const worker = async (): Promise<void> => {
    for (const [place, bytes] of queue) {
      const { outcome } = await reasonItem(bytes, router, context, {
        ...options,
        type,
        begin: (startedMs) => beginTrace(options.tracing, type, context.metadata, startedMs),
        adjust: spreadBySpeed,
        accept: ({ answer }) => room.take(answer.inference),
      });
      results[place] = { outcome };
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.windowSize, requests.length) }, worker));
  return results;
}

/** Items that name no strategy go where they should be answered first. */
function spreadBySpeed(question: ReasonQuestion): ReasonQuestion {
  return { ...question, strategy: question.strategy ?? 'FASTEST' };
}
