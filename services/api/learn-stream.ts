// Learn: a stream of examples. The teachers answer several examples at once, the student learns them in order, and no
// more examples are read than the teachers can take.
import { Cancel } from '../core/cancel.ts';
import { RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';
import type { LearnResponse, LearnStart } from '../generated/tandem/v1/learning.ts';
import { LabelWire, type LearnRequestWire } from '../generated/tandem/wire/v1/wire.ts';
import type { CallListener, IncomingCall } from '../grpc/method.ts';
import { LearnSession, type RawExample } from '../learning/learn-session.ts';
import type { Example } from '../learning/learner.ts';
import { type LearnPlanParts, toPlan } from './learn-plan.ts';
import type { Students } from '../learning/students.ts';
import type { Operations, RunningOperation } from '../operations/operations.ts';
import type { Router } from '../routing/router.ts';
import { undecodable } from './decoding.ts';
import { toCommit } from './learning-state.ts';
import type { OpenCall } from './open-calls.ts';
import { decodeReasonRequest, toQuestion } from './reason-messages.ts';
import { checkLearnExample } from './request-limits.ts';
import { toStatus } from './status.ts';
import { type UnaryOptions, methodOf, whyCancelled } from './unary.ts';

/** Examples for which teachers are asked at the same time. */
const WINDOW = 32;
/** Size limit of examples that were read and not yet learnt. */
const MAX_OPEN_BYTES = 16 * 1_048_576;

export interface LearnParts extends LearnPlanParts {
  readonly router: Router;
  readonly students: Students;
  readonly operations: Operations;
}

export interface LearnOptions extends UnaryOptions {
  /** Aborted when the server drains. */
  readonly drained: AbortSignal;
}

type LearnCall = IncomingCall<LearnResponse>;
type Prepared = Promise<Example | RouterError>;
type Request = LearnRequestWire | RouterError;

export function learnStream(parts: LearnParts, options: LearnOptions): (call: LearnCall) => void {
  return (call) => void new LearnStream(call, parts, options).run();
}

class LearnStream implements OpenCall, CallListener<Request> {
  slot = -1;
  readonly #call: LearnCall;
  readonly #parts: LearnParts;
  readonly #options: LearnOptions;
  readonly #caller = new Cancel();
  /** Examples read and not started. */
  readonly #read: Request[] = [];
  #openBytes = 0;
  #isInputEnded = false;
  #wake: () => void = () => undefined;
  readonly #onDraining = (): void => {
    const message = 'the router is stopping; what was learnt is kept, send the rest once it is back';
    this.abort(new RouterError('DRAINING', message));
  };

  constructor(call: LearnCall, parts: LearnParts, options: LearnOptions) {
    this.#call = call;
    this.#parts = parts;
    this.#options = options;
    call.listener = this;
    options.calls.opened(this);
    options.drained.addEventListener('abort', this.#onDraining, { once: true });
  }

  /** Never rejects. */
  async run(): Promise<void> {
    let error: RouterError | undefined;
    try {
      if (this.#options.drained.aborted) this.#onDraining();
      const start = await this.#start();
      const plan = await toPlan(start, this.#parts);
      const answer = await this.#parts.students.teach(plan.student, async (student) => {
        const operation = this.#parts.operations.begin('learn', plan.student, () => {
          this.abort(new RouterError('CANCELLED', 'the operation was cancelled; what was learnt until then is kept'));
        });
        const session = new LearnSession(student, plan, this.#parts.router);
        try {
          await this.#learnAll(session, operation);
          return await this.#finish(session, operation, student.state.published);
        } catch (thrown) {
          await student.sync();
          operation.fail(RouterError.from(thrown));
          throw thrown;
        }
      });
      this.#call.answer(answer);
    } catch (thrown) {
      error = RouterError.from(thrown);
      if (error.kind === 'INTERNAL') this.#options.onInternalError(this.#call.path, error);
      this.#call.fail(toStatus(error));
    }
    this.#close(error);
  }

  onMessage(request: Request): void {
    this.#read.push(request);
    this.#openBytes += bytesOf(request);
    if (this.#read.length >= WINDOW || this.#openBytes >= MAX_OPEN_BYTES) this.#call.pause();
    this.#wake();
  }

  onEnd(): void {
    this.#isInputEnded = true;
    this.#wake();
  }

  onCut(): void {
    this.abort(whyCancelled(this.#call.deadlineMs));
  }

  abort(error: RouterError): void {
    this.#caller.abort(error);
    this.#wake();
  }

  /** Learns each example once its teachers have answered and the example before it is learnt. */
  async #learnAll(session: LearnSession, operation: RunningOperation): Promise<void> {
    let last = Promise.resolve();
    let open = 0;
    let done = 0;
    const learnNext = async (before: Promise<void>, prepared: Prepared, bytes: number): Promise<void> => {
      await before;
      await session.learn(await prepared);
      open -= 1;
      this.#openBytes -= bytes;
      operation.progress(++done);
      this.#wake();
    };
    try {
      for (let message = await this.#next(); message !== undefined; message = await this.#next()) {
        const prepared = this.#prepare(session, message);
        prepared.catch(() => undefined); // awaited in its turn
        open += 1;
        last = learnNext(last, prepared, bytesOf(message));
        last.catch((thrown: unknown) => this.abort(RouterError.from(thrown)));
        while ((open >= WINDOW || this.#openBytes >= MAX_OPEN_BYTES) && !this.#caller.aborted) await this.#woken();
      }
    } finally {
      await last;
    }
  }

  async #prepare(session: LearnSession, message: Request): Prepared {
    if (message instanceof RouterError) return message;
    if (message.what?.$case !== 'example') {
      throw new RouterError('INVALID_FIELD', 'each message after the first one must be an example', {
        field: 'example',
      });
    }
    let example: RawExample;
    try {
      example = toExample(message.what.value);
    } catch (thrown) {
      return undecodable(thrown);
    }
    const context: CallContext = { deadlineMs: performance.now() + this.#options.timeoutMs, signal: this.#caller };
    return await session.prepare(example, context);
  }

  async #finish(session: LearnSession, operation: RunningOperation, before: number): Promise<LearnResponse> {
    const { learnt, heldOut, skipped, skippedReasons, commits } = await session.finish();
    const published = commits.findLast(({ outcome }) => outcome?.status === 'PUBLISHED')?.version;
    const text = published === undefined ? 'no new version is published' : `version ${published} is published`;
    operation.succeed(`${learnt} examples learnt, ${heldOut} held out, ${skipped} skipped; ${text}`);
    return {
      ...{ learnt: BigInt(learnt), heldOut: BigInt(heldOut), skipped: BigInt(skipped) },
      skippedReasons: [...skippedReasons],
      commits: commits.map(toCommit),
      publishedVersion: published ?? before,
      operationId: operation.id,
      processingTimeMs: performance.now() - this.#call.startedMs,
    };
  }

  async #start(): Promise<LearnStart> {
    const first = await this.#next();
    if (first instanceof RouterError) throw first;
    if (first?.what?.$case === 'start') return first.what.value;
    throw new RouterError('INVALID_FIELD', 'the first message must be start: it names the student', { field: 'start' });
  }

  /** The next message; undefined: there are no more. Rejects if the caller is gone. */
  async #next(): Promise<Request | undefined> {
    for (;;) {
      if (this.#caller.aborted) throw RouterError.from(this.#caller.reason);
      const message = this.#read.shift();
      if (message !== undefined) {
        if (this.#read.length === 0) this.#call.resume();
        return message;
      }
      if (this.#isInputEnded) return undefined;
      this.#call.resume();
      await this.#woken();
    }
  }

  async #woken(): Promise<void> {
    await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  #close(error: RouterError | undefined): void {
    const { drained, calls, observer } = this.#options;
    drained.removeEventListener('abort', this.#onDraining);
    calls.closed(this);
    observer.requestEnded(methodOf(this.#call), error?.kind ?? 'OK', performance.now() - this.#call.startedMs);
  }
}

function bytesOf(request: Request): number {
  return !(request instanceof RouterError) && request.what?.$case === 'example' ? request.what.value.length : 0;
}

/** Decodes a LearnExample. Throws if it is invalid. */
function toExample(bytes: Uint8Array): RawExample {
  checkLearnExample(bytes);
  const { label } = LabelWire.decode(bytes);
  const { input, text } = toQuestion({ ...decodeReasonRequest(bytes), requestId: '' });
  return { input, label, ...(text !== undefined && { text }) };
}
