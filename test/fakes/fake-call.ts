// A call of the API without a connection. The test is its caller.
import { Metadata } from '../../services/grpc/metadata.ts';
import type { CallListener, CallOwner, IncomingCall } from '../../services/grpc/method.ts';
import type { Status } from '../../services/grpc/status.ts';

export class FakeCall<Response> implements IncomingCall<Response> {
  path = '/tandem.v1.ReasoningService/Reason';
  metadata = new Metadata();
  peer = '127.0.0.1';
  owner: CallOwner | undefined;
  readonly startedMs = performance.now();
  deadlineMs = Infinity;
  hasUnsent = false;
  isOver = false;
  #isEnded = false;
  isPaused = false;
  listener: CallListener | undefined;
  readonly answers: Response[] = [];
  readonly #waiting: unknown[] = [];
  readonly #onEnd: (end: Status | undefined) => void;

  /** `onEnd`: called with the error of its handler; undefined: OK. */
  constructor(onEnd: (end: Status | undefined) => void = () => undefined) {
    this.#onEnd = onEnd;
  }

  /** The caller sends a message of a stream. */
  push(request: unknown): void {
    this.#waiting.push(request);
    this.#deliver();
  }

  /** The caller cancels. */
  cut(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.listener?.onCut?.();
  }

  answer(response: Response): void {
    this.send(response);
    this.end();
  }

  send(response: Response): boolean {
    this.answers.push(response);
    return !this.hasUnsent;
  }

  end(): void {
    this.#end(undefined);
  }

  fail(status: Status): void {
    this.#end(status);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.#deliver();
  }

  #deliver(): void {
    while (!this.isPaused && this.#waiting.length > 0) this.listener?.onMessage?.(this.#waiting.shift() as never);
  }

  #end(status: Status | undefined): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.isOver = true;
    this.#onEnd(status);
  }
}
