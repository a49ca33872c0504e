import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { answer, refuse } from '../../../test/fakes/fake-sidecar.ts';
import { Cancel } from '../../core/cancel.ts';
import { RouterError } from '../../core/errors.ts';
import type { CallContext } from '../../core/inference.ts';
import { type InferResult, InferStreamRequest, InferStreamResponse } from '../../generated/tandem/engine/v1/engine.ts';
import { encodeRequest } from './infer-request.ts';
import { InferStream, type InferStreamOptions } from './infer-stream.ts';
import type { OutgoingMessage } from './outbox.ts';

/** The call below the stream: keeps what is written; the test sets whether it accepts more. */
class FakeCall {
  readonly written: InferStreamRequest[] = [];
  /** Returned by `write`: whether the call accepts more. */
  takesMore = true;
  ended = 0;
  cancelled = 0;

  write(message: OutgoingMessage): boolean {
    this.written.push(InferStreamRequest.decode(encodeRequest(message, BigInt(this.written.length))));
    return this.takesMore;
  }

  end(): void {
    this.ended += 1;
  }

  cancel(): void {
    this.cancelled += 1;
  }

  /** The ids of the inputs in each message. */
  get sent(): number[][] {
    return this.written.map(({ items }) => items.map(({ id }) => Number(id)));
  }

  receive(...results: InferResult[]): void {
    stream.onMessage(Buffer.from(InferStreamResponse.encode({ results, checksum: 0n }).finish()));
  }
}

const input = { model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) };
const FULL = { maxMessageBytes: 4e6, timeoutMs: 60_000, probe: () => Promise.resolve(), outputsOf: () => 2 };

let call: FakeCall;
let stream: InferStream;
let closed: string[];

beforeEach(() => open());
afterEach(() => stream.fail('the test is over'));

function open(over: Partial<InferStreamOptions> = {}): void {
  call = new FakeCall();
  closed = [];
  const options = { ...FULL, ...over };
  stream = new InferStream('e', options, (why) => closed.push(why));
  stream.begin(call);
}

/** Sends one input and returns its outcome. */
function ask(over: Partial<CallContext> = {}, detail: 'SUMMARY' | 'RASTER' = 'SUMMARY'): Promise<string> {
  const context = { deadlineMs: Infinity, signal: new AbortController().signal, ...over };
  return stream.infer({ ...input, detail }, context).then(
    () => 'answered',
    (error: unknown) => (error as RouterError).kind,
  );
}

const aTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('InferStream with a full write buffer', () => {
  it('sends nothing until it drains, then all waiting inputs in one message', async () => {
    call.takesMore = false;
    const first = ask();
    await aTurn();
    const others = [ask(), ask()];
    await aTurn();
    expect(call.sent).toEqual([[1]]);
    call.takesMore = true;
    stream.onDrain();
    await aTurn();
    expect(call.sent).toEqual([[1], [2, 3]]);
    call.receive(answer(1n), answer(2n), answer(3n));
    expect(await Promise.all([first, ...others])).toEqual(['answered', 'answered', 'answered']);
  });

  it('continues to send after it drained', async () => {
    call.takesMore = false;
    void ask();
    await aTurn();
    call.takesMore = true;
    stream.onDrain();
    for (const sent of [2, 3]) {
      void ask();
      await aTurn();
      expect(call.sent.at(-1)).toEqual([sent]);
    }
  });

  it('pauses between two messages, too', async () => {
    open({ maxMessageBytes: 300 });
    call.takesMore = false;
    const answers = [ask(), ask(), ask(), ask(), ask()];
    await aTurn();
    expect(call.written).toHaveLength(1);
    for (let n = 0; n < answers.length; n += 1) {
      stream.onDrain();
      await aTurn();
    }
    expect(call.sent.flat()).toEqual([1, 2, 3, 4, 5]);
    expect(call.written.length).toBeGreaterThan(1);
  });
});

describe('InferStream that has ended', () => {
  it('reports its end once, for any number of causes', async () => {
    const answers = ask();
    stream.onEnd('reset');
    stream.onEnd('it closed the stream');
    stream.fail('told to');
    expect(closed).toHaveLength(1);
    expect(closed[0]).toContain('reset');
    expect(await answers).toBe('ENGINE_LOST');
  });

  it('accepts and sends nothing more', async () => {
    const answers = [ask(), ask()];
    stream.fail('told to');
    await aTurn();
    expect([call.written.length, call.cancelled]).toEqual([0, 1]);
    expect([await ask(), ...(await Promise.all(answers))]).toEqual(['ENGINE_LOST', 'ENGINE_LOST', 'ENGINE_LOST']);
    call.receive(answer(77n));
    expect(stream.unexpectedAnswers).toBe(0);
  });

  it('is drained at once', async () => {
    void ask();
    stream.fail('told to');
    await stream.drain();
    expect(call.ended).toBe(1);
  });
});

describe('InferStream.drain', () => {
  it('ends the stream after the last answer', async () => {
    const answers = [ask(), ask()];
    await aTurn();
    const drained = stream.drain();
    call.receive(answer(1n));
    await aTurn();
    expect(call.ended).toBe(0);
    call.receive(answer(2n));
    await drained;
    expect([call.ended, ...(await Promise.all(answers))]).toEqual([1, 'answered', 'answered']);
  });
});

describe('an engine that sends unexpected answers', () => {
  it('loses the stream after nine of them, and its inputs fail', async () => {
    const answered = ask();
    await aTurn();
    for (let id = 100n; id < 108n; id += 1n) call.receive(answer(id));
    expect(closed).toEqual([]);
    call.receive(answer(108n));
    expect(closed).toEqual(['it sent 9 answers with ids that were never sent, or answered before']);
    expect([await answered, call.cancelled]).toEqual(['ENGINE_FAULT', 1]);
  });

  it('may answer inputs that were cancelled meanwhile', async () => {
    const caller = new AbortController();
    const answers = Array.from({ length: 9 }, () => ask({ signal: caller.signal }));
    await aTurn();
    caller.abort();
    for (let id = 1n; id <= 9n; id += 1n) call.receive(answer(id));
    await Promise.all(answers);
    expect([closed, stream.unexpectedAnswers]).toEqual([[], 0]);
  });
});

describe('InferStream.owed', () => {
  it('counts inputs until the engine answers them, even if cancelled', async () => {
    const caller = new AbortController();
    void ask();
    void ask({}, 'RASTER');
    void ask({ signal: caller.signal }, 'RASTER');
    await aTurn();
    expect(stream.owed).toEqual({ answers: 3, withLayers: 2, withState: 0, outputs: 2 });
    caller.abort();
    expect([stream.inFlight, stream.owed.answers, stream.owed.withLayers]).toEqual([2, 3, 2]);
    call.receive(refuse(3n, 'CANCELLED'), answer(2n));
    expect(stream.owed).toEqual({ answers: 1, withLayers: 0, withState: 0, outputs: 2 });
  });

  it('counts inputs that asked for a state, also if cancelled', async () => {
    const caller = new AbortController();
    const context = { deadlineMs: Infinity, signal: caller.signal };
    const answers = [1, 2].map(() => stream.infer({ ...input, returnState: true }, context).catch(() => undefined));
    await aTurn();
    expect(stream.owed).toEqual({ answers: 2, withLayers: 0, withState: 2, outputs: 2 });
    call.receive(answer(1n));
    caller.abort();
    expect(stream.owed).toMatchObject({ answers: 1, withState: 1 });
    call.receive(refuse(2n, 'CANCELLED'));
    expect(stream.owed).toMatchObject({ answers: 0, withState: 0 });
    await Promise.all(answers);
  });

  it('has the size of the largest output so far, or the largest of all if one is unknown', () => {
    const sizes = [2, 5, 3, undefined];
    open({ outputsOf: (model, version) => (model === 'm' && version === 1 ? sizes.shift() : 0) });
    expect(stream.owed.outputs).toBe(0);
    const seen = [1, 2, 3, 4].map(() => {
      void ask();
      return stream.owed.outputs;
    });
    expect(seen).toEqual([2, 5, 5, 1_048_576]);
  });

  it('does not count an input that was cancelled before it was sent', async () => {
    const caller = new AbortController();
    const answers = [ask(), ask({ signal: caller.signal }, 'RASTER')];
    caller.abort();
    await aTurn();
    expect(call.sent).toEqual([[1]]);
    expect(stream.owed).toEqual({ answers: 1, withLayers: 0, withState: 0, outputs: 2 });
    call.receive(answer(1n));
    await Promise.all(answers);
  });
});

describe('an input', () => {
  it('is not accepted if the caller has left', async () => {
    const caller = new AbortController();
    caller.abort();
    await ask({ signal: caller.signal });
    await aTurn();
    expect([stream.inFlight, call.written.length]).toEqual([0, 0]);
  });

  it('is sent without waiting for a turn of the event loop', async () => {
    void ask();
    await Promise.resolve();
    await Promise.resolve();
    expect(call.sent).toEqual([[1]]);
  });

  it('has timeout 0 without a deadline, and 1 µs if the deadline has passed', async () => {
    void ask();
    void ask({ deadlineMs: performance.now() - 5 });
    await aTurn();
    expect(call.written[0]!.items.map(({ timeoutUs }) => timeoutUs)).toEqual([0n, 1n]);
  });
});

describe('InferStream.inferEach', () => {
  function askEach(count: number): { ended: string[]; cancel: Cancel } {
    const ended: string[] = [];
    const cancel = new Cancel();
    stream.inferEach(
      Array.from({ length: count }, () => input),
      { deadlineMs: Infinity, signal: cancel },
      {
        answered: (index) => void ended.push(`${index} answered`),
        failed: (index, { kind }) => void ended.push(`${index} ${kind}`),
      },
    );
    return { ended, cancel };
  }

  it('sends one message and reports each answer by index', async () => {
    const { ended } = askEach(3);
    await new Promise(setImmediate);
    expect(call.sent).toEqual([[1, 2, 3]]);
    call.receive(answer(2n), refuse(3n, 'NON_FINITE'), answer(1n));
    expect(ended).toEqual(['1 answered', '2 NON_FINITE', '0 answered']);
  });

  it('fails open inputs if the caller leaves, and cancels them at the engine', async () => {
    const { ended, cancel } = askEach(2);
    await new Promise(setImmediate);
    call.receive(answer(1n));
    cancel.abort(new RouterError('CANCELLED', 'the caller left'));
    await new Promise(setImmediate);
    expect(ended).toEqual(['0 answered', '1 CANCELLED']);
    expect(call.written.map(({ cancelIds }) => cancelIds.map(Number))).toEqual([[], [2]]);
  });

  it('fails at once on a closed stream', () => {
    stream.fail('it is gone');
    expect(askEach(2).ended).toEqual(['0 ENGINE_LOST', '1 ENGINE_LOST']);
  });

  it('fails at once, and sends nothing, if the caller has left', async () => {
    const signal = AbortSignal.abort(new RouterError('CANCELLED', 'left'));
    const failed: string[] = [];
    stream.inferEach(
      [input],
      { deadlineMs: Infinity, signal },
      { answered: () => undefined, failed: (index, { kind }) => void failed.push(`${index} ${kind}`) },
    );
    await aTurn();
    expect([failed, call.written.length]).toEqual([['0 CANCELLED'], 0]);
  });
});

describe('an input for an engine with a message limit', () => {
  const bytes = 16 + 64 + 3 + 5 + 12;

  it('is accepted at the limit', async () => {
    open({ maxMessageBytes: bytes });
    void ask();
    await aTurn();
    expect(call.sent).toEqual([[1]]);
  });

  it('is refused above it, and is not owed', async () => {
    open({ maxMessageBytes: bytes - 1 });
    const context = { deadlineMs: Infinity, signal: new AbortController().signal };
    await expect(stream.infer(input, context)).rejects.toMatchObject({
      kind: 'INPUT_TOO_LARGE',
      message: `engine "e" takes messages of ${bytes - 1} bytes at most, and this input needs ${bytes}; start the engine with a larger --max-message-bytes`,
      metadata: { bytes: `${bytes}`, max_message_bytes: `${bytes - 1}` },
    });
    await aTurn();
    expect([call.written.length, stream.inFlight, stream.owed.answers]).toEqual([0, 0, 0]);
  });
});

describe('the answer to an input', () => {
  const messageOf = (answering: Promise<unknown>): Promise<string> =>
    answering.then(
      () => 'answered',
      (error: unknown) => `${(error as RouterError).kind}: ${(error as RouterError).message}`,
    );
  const send = (): Promise<string> =>
    messageOf(stream.infer(input, { deadlineMs: Infinity, signal: new AbortController().signal }));

  it('is its error if it has no outcome', async () => {
    const answering = send();
    await aTurn();
    call.receive({ id: 1n, outcome: undefined });
    expect(await answering).toBe('ENGINE_FAULT: engine "e" gave an invalid answer: a result without an outcome');
  });

  it('is its error if it cannot be read, and others are read', async () => {
    const answers = [send(), send()];
    await aTurn();
    const unreadable = Buffer.from([0x0a, 7, 8, 1, 0x12, 3, 0x1a, 1, 0x80]);
    const readable = InferStreamResponse.encode({ results: [answer(2n)], checksum: 0n }).finish();
    stream.onMessage(Buffer.concat([unreadable, readable]));
    expect(await Promise.all(answers)).toEqual([
      'ENGINE_FAULT: engine "e" gave an invalid answer: a result that cannot be read',
      'answered',
    ]);
    expect(closed).toEqual([]);
  });

  it('proves that the engine answers, even if it is an error', async () => {
    const answering = send();
    await aTurn();
    call.receive(answer(7n));
    expect(stream.hasAnswered).toBe(false);
    call.receive(refuse(1n, 'NON_FINITE'));
    expect([await answering, stream.hasAnswered]).toEqual(['NON_FINITE: on purpose', true]);
  });

  it('to a cancelled input does not prove it', async () => {
    const caller = new AbortController();
    const answering = ask({ signal: caller.signal });
    await aTurn();
    caller.abort(new RouterError('CANCELLED', 'left'));
    call.receive(answer(1n));
    expect([await answering, stream.hasAnswered]).toEqual(['CANCELLED', false]);
  });
});

it('an InferStream with one open input collects the next ones in one message', async () => {
  void ask();
  await aTurn();
  void ask();
  for (let n = 0; n < 5; n += 1) await Promise.resolve();
  void ask();
  await aTurn();
  expect(call.sent).toEqual([[1], [2, 3]]);
});

it('an InferStream without open inputs is drained at once', async () => {
  await stream.drain();
  expect(call.ended).toBe(1);
});
