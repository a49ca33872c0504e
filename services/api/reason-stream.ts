// ReasonStream: as many requests in flight as the window allows. While the caller does not read answers, no more
// requests are read.
import { type CallerAccount, callerName } from '../auth/caller-account.ts';
import { Cancel } from '../core/cancel.ts';
import { RouterError } from '../core/errors.ts';
import type { ReasonStreamRequestWire } from '../generated/tandem/wire/v1/wire.ts';
import type { CallListener, IncomingCall } from '../grpc/method.ts';
import type { Router } from '../routing/router.ts';
import type { OpenCall } from './open-calls.ts';
import { type ItemAnswer, type ItemOptions, type ItemRouter, reasonItems } from './reason-item.ts';
import { encodeStreamResponse } from './reason-encoder.ts';
import { toReasonError } from './reason-messages.ts';
import { toStatus } from './status.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { beginTrace } from './traced.ts';
import { type UnaryOptions, methodOf, whyCancelled } from './unary.ts';

export interface StreamOptions extends UnaryOptions {
  /** Maximum requests in flight in one stream or batch. */
  readonly windowSize: number;
  readonly tracing: Tracing;
  /** Aborted when the server drains: streams answer what they have read, and end. */
  readonly drained: AbortSignal;
}

/** Limit on the bytes of one stream's requests in flight. */
const MAX_OPEN_BYTES = 16 * 1_048_576;

/** Answers are encoded ReasonStreamResponses. */
type StreamCall = IncomingCall<Buffer>;

export function reasonStream(router: Router, options: StreamOptions): (call: StreamCall) => void {
  return (call) => new ReasonStream(call, router, options);
}

class ReasonStream implements OpenCall, CallListener<ReasonStreamRequestWire | RouterError> {
  slot = -1;
  readonly #call: StreamCall;
  readonly #owner: CallerAccount | undefined;
  readonly #router: ItemRouter;
  readonly #options: StreamOptions;
  readonly #item: ItemOptions;
  readonly #caller = new Cancel();
  readonly #onDraining = (): void => this.#endInput('DRAINING');
  /** Requests read in this turn of the event loop: they are executed together. */
  #arrived: Uint8Array[] = [];
  /** Requests that arrived faster than the caller's rate. No more are read until these have been sent. */
  #tooEarly: Uint8Array[] = [];
  #open = 0;
  #openBytes = 0;
  /** The caller does not read: answers wait in memory, and no more requests are read. */
  #isBlocked = false;
  #isPaused = false;
  #inputEnded: 'END' | 'DRAINING' | undefined;

  constructor(call: StreamCall, router: Router, options: StreamOptions) {
    this.#call = call;
    this.#owner = call.owner as CallerAccount | undefined;
    this.#router = router;
    this.#options = options;
    const type = 'ReasonStream.item';
    this.#item = {
      ...options,
      caller: () => callerName(call.owner),
      type,
      begin: (startedMs) => beginTrace(options.tracing, type, call.metadata, startedMs, call.owner),
    };
    call.listener = this;
    options.calls.opened(this);
    options.drained.addEventListener('abort', this.#onDraining);
    if (options.drained.aborted) this.#onDraining();
  }

  onMessage(request: ReasonStreamRequestWire | RouterError): void {
    this.#open += 1;
    if (request instanceof RouterError) this.#refuse(request, 0);
    else {
      this.#openBytes += request.request.length;
      this.#tooEarly.push(request.request);
      if (this.#tooEarly.length === 1) this.#enterNext();
    }
    this.#pace();
  }

  onEnd(): void {
    this.#endInput('END');
  }

  onDrain(): void {
    this.#isBlocked = false;
    this.#pace();
  }

  /** The caller is gone, or its deadline passed. */
  onCut(): void {
    this.#close(whyCancelled(this.#call.deadlineMs));
  }

  /** A message that cannot be decoded gets an answer, too. */
  #refuse(error: RouterError, bytes: number): void {
    const startedMs = performance.now();
    this.#options.observer.requestEnded(this.#item.type, error.kind, 0);
    this.#item.begin(startedMs).end(error);
    this.#answer({ requestId: '', outcome: { $case: 'error', value: toReasonError(error) } }, bytes, startedMs);
  }

  #enterNext(): void {
    if (this.#owner === undefined) this.#enter();
    else this.#owner.whenAllowed(this.#enter);
  }

  /** Sends the first request that waits for the rate. */
  readonly #enter = (): void => {
    const request = this.#tooEarly.shift()!;
    try {
      this.#owner?.enter(1, true);
      if (this.#arrived.length === 0) queueMicrotask(this.#begin);
      this.#arrived.push(request);
    } catch (thrown) {
      this.#refuse(RouterError.from(thrown), request.length);
    }
    if (this.#tooEarly.length > 0) this.#enterNext();
    this.#pace();
  };

  readonly #begin = (): void => {
    const requests = this.#arrived;
    this.#arrived = [];
    const startedMs = performance.now();
    const deadlineMs = Math.min(this.#call.deadlineMs, startedMs + this.#options.timeoutMs);
    const context = { deadlineMs, signal: this.#caller, owner: this.#owner };
    reasonItems(requests, this.#router, context, this.#item, (index, answer) => {
      this.#owner?.left(1);
      this.#answer(answer, requests[index]!.length, startedMs);
    });
  };

  #answer({ requestId, outcome }: ItemAnswer, bytes: number, startedMs: number): void {
    this.#open -= 1;
    this.#openBytes -= bytes;
    if (this.#caller.aborted) return;
    this.#isBlocked = !this.#call.send(encodeStreamResponse(requestId, outcome, performance.now() - startedMs));
    this.#pace();
    this.#endIfAnswered();
  }

  /** A paused stream fills its window, and HTTP/2 flow control then stops the sender. */
  #pace(): void {
    const isFull = this.#open >= this.#options.windowSize || this.#openBytes >= MAX_OPEN_BYTES;
    const isPaused = isFull || this.#isBlocked || this.#tooEarly.length > 0 || this.#inputEnded === 'DRAINING';
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    if (isPaused) this.#call.pause();
    else this.#call.resume();
  }

  #endInput(why: 'END' | 'DRAINING'): void {
    this.#inputEnded ??= why;
    this.#pace();
    this.#endIfAnswered();
  }

  #endIfAnswered(): void {
    if (this.#inputEnded === undefined || this.#open > 0 || this.#caller.aborted) return;
    if (this.#inputEnded === 'END') {
      this.#call.end();
      this.#close();
    } else {
      const message = 'the router is stopping; every request it had read was answered: send the others elsewhere';
      this.abort(new RouterError('DRAINING', message));
    }
  }

  /** Ends the stream with this status. */
  abort(error: RouterError): void {
    this.#close(error);
    this.#call.fail(toStatus(error));
  }

  /** Without `error`: everything was answered. */
  #close(error?: RouterError): void {
    if (this.#caller.aborted) return;
    this.#caller.abort(error ?? new RouterError('CANCELLED', 'the stream has ended'));
    this.#options.drained.removeEventListener('abort', this.#onDraining);
    this.#options.calls.closed(this);
    this.#owner?.giveUp(this.#enter);
    this.#options.observer.requestEnded(
      methodOf(this.#call),
      error?.kind ?? 'OK',
      performance.now() - this.#call.startedMs,
    );
  }
}
