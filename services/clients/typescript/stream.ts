// ReasonStream as an async iterator. Requests and answers are transferred no faster than their reader reads.
import { once } from 'node:events';
import type * as grpc from '@grpc/grpc-js';
import {
  ReasonRequest,
  type DeepPartial,
  type ReasonResponse,
  type ReasonStreamRequest,
  type ReasonStreamResponse,
} from '../../generated/tandem/v1/reasoning.ts';
import { TandemError } from './errors.ts';

export type Requests = Iterable<DeepPartial<ReasonRequest>> | AsyncIterable<DeepPartial<ReasonRequest>>;

/** One request's answer. Exactly one of `result` and `error` is set. */
export interface StreamAnswer {
  readonly requestId: string;
  readonly result: ReasonResponse | undefined;
  readonly error: TandemError | undefined;
}

/**
 * Yields the answers in the order of arrival. Ending the loop early cancels the stream. Throws the error that ended the
 * stream or `requests`.
 */
export async function* exchange(
  call: grpc.ClientDuplexStream<ReasonStreamRequest, ReasonStreamResponse>,
  requests: Requests,
): AsyncGenerator<StreamAnswer, void, undefined> {
  const over = new AbortController();
  // The loop below throws it.
  call.on('error', () => undefined);
  let inputError: { readonly cause: unknown } | undefined;
  const sending = send(call, requests, over.signal).catch((cause: unknown) => {
    if (over.signal.aborted) return;
    inputError = { cause };
    call.cancel();
  });
  try {
    for await (const answer of call as AsyncIterable<ReasonStreamResponse>) yield toAnswer(answer);
  } catch (error) {
    throw inputError === undefined ? TandemError.ofCall(error as grpc.ServiceError) : inputError.cause;
  } finally {
    over.abort();
    call.cancel();
    void sending;
  }
}

async function send(
  call: grpc.ClientDuplexStream<ReasonStreamRequest, ReasonStreamResponse>,
  requests: Requests,
  over: AbortSignal,
): Promise<void> {
  for await (const request of requests) {
    if (over.aborted) return;
    if (!call.write({ request: ReasonRequest.fromPartial(request) })) await once(call, 'drain', { signal: over });
  }
  call.end();
}

function toAnswer({ requestId, outcome }: ReasonStreamResponse): StreamAnswer {
  return {
    requestId,
    result: outcome?.$case === 'result' ? outcome.value : undefined,
    error: outcome?.$case === 'error' ? TandemError.ofItem(outcome.value) : undefined,
  };
}
