// ReasoningService: Ping, Reason and ReasonBatch. ReasonStream is in reason-stream.ts.
import { Turns } from '../core/turns.ts';
import { type PingRequest, type PingResponse, ReasoningServiceService } from '../generated/tandem/v1/reasoning.ts';
import {
  ReasonBatchRequestWire,
  type ReasonRequestWire,
  ReasonStreamRequestWire,
} from '../generated/tandem/wire/v1/wire.ts';
import { type CallerAccount, callerName } from '../auth/caller-account.ts';
import { freeMemory } from '../grpc/free-memory.ts';
import type { Method } from '../grpc/method.ts';
import { InputRefused } from '../routing/check-input.ts';
import type { ReasonQuestion } from '../routing/question.ts';
import type { Router } from '../routing/router.ts';
import { countItems } from './batch-inspector.ts';
import { BatchRoom } from './batch-room.ts';
import { decoding } from './decoding.ts';
import { type Handler, type Rpc, methodsOf } from './methods.ts';
import { reasonBatch } from './reason-batch.ts';
import { encodeBatch, encodeResponse } from './reason-encoder.ts';
import { readReasonRequest, toQuestion } from './reason-messages.ts';
import { type StreamOptions, reasonStream } from './reason-stream.ts';
import { checkBatch, checkPlain, checkReasonStream } from './request-limits.ts';
import { beginTrace, noteAnswer } from './traced.ts';
import { unary } from './unary.ts';

export interface ReasoningOptions extends StreamOptions {
  /** Maximum requests in one ReasonBatch. */
  readonly maxBatchItems: number;
  /** Maximum requests in all open batches together; a single batch may have more. */
  readonly maxInFlight: number;
}

type RpcName = keyof typeof ReasoningServiceService;

/** For a decoder that checks the limits itself, as readReasonRequest does. */
const checkedByDecoder = (): void => undefined;

/** Nothing else has the refused input of a single request. (Items of a batch share its memory.) */
function freeInput({ input }: ReasonQuestion): void {
  if (input.field !== 'events') freeMemory(input.data);
}

/** Handlers of Reason return encoded bytes. */
const asIs = (bytes: Buffer): Buffer => bytes;

/**
 * As generated, except for Reason: the numbers of its requests stay bytes (proto/tandem/wire/v1/wire.proto), and its
 * answers are encoded already.
 */
export function reasoningService(options: Pick<ReasoningOptions, 'maxBatchItems'>): Record<RpcName, Rpc> {
  const service = {
    ...ReasoningServiceService,
    reason: {
      ...ReasoningServiceService.reason,
      requestDeserialize: readReasonRequest,
      responseSerialize: asIs,
    },
    reasonBatch: {
      ...ReasoningServiceService.reasonBatch,
      requestDeserialize: (bytes: Buffer) => ReasonBatchRequestWire.decode(bytes),
      responseSerialize: asIs,
    },
    reasonStream: {
      ...ReasoningServiceService.reasonStream,
      requestDeserialize: (bytes: Buffer) => ReasonStreamRequestWire.decode(bytes),
      responseSerialize: asIs,
    },
  };
  return decoding(service, {
    ping: checkPlain,
    reason: checkedByDecoder,
    reasonBatch: (bytes) => checkBatch(bytes, options.maxBatchItems),
    reasonStream: checkReasonStream,
  });
}

export function reasoningMethods(router: Router, options: ReasoningOptions): Method[] {
  const { tracing } = options;
  const room = new BatchRoom();
  const turns = new Turns();
  const handlers: Record<RpcName, Handler> = {
    ping: unary<PingRequest, PingResponse>(options, (_request, { startedMs }) => ({
      message: 'pong',
      serverTimeMs: BigInt(Date.now()),
      processingTimeMs: performance.now() - startedMs,
    })),
    reason: unary<ReasonRequestWire, Buffer>(
      options,
      (request, context) => {
        const { trace } = context;
        context.span = trace && tracing.spanOf(trace);
        const question = toQuestion(request, () => callerName(context.owner));
        return router.reason(question, context).then(
          (answer) => {
            noteAnswer(context.span, answer);
            return encodeResponse(request.requestId, answer, context.startedMs, trace?.traceId ?? '');
          },
          (error: unknown) => {
            if (error instanceof InputRefused) freeInput(question);
            throw error;
          },
        );
      },
      (call, startedMs) => beginTrace(tracing, 'Reason', call.metadata, startedMs, call.owner),
    ),
    reasonBatch: unary<ReasonBatchRequestWire, Buffer>(options, async ({ requests }, context) => {
      const owner = context.owner as CallerAccount | undefined;
      owner?.enter(requests.length, true);
      let leave = (): void => undefined;
      try {
        leave = room.enter(requests.length, options.maxInFlight);
        const outcomes = await reasonBatch(requests, router, context, { ...options, turns, type: 'ReasonBatch.item' });
        return encodeBatch(outcomes, performance.now() - context.startedMs);
      } finally {
        leave();
        owner?.left(requests.length);
      }
    }),
    reasonStream: reasonStream(router, options),
  };
  return methodsOf(reasoningService(options), handlers, {
    reasonBatch: (owner) => countItems(options, owner as CallerAccount | undefined),
  });
}
