import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import { FakeCall } from '../../test/fakes/fake-call.ts';
import { silent } from '../../test/fakes/fake-parts.ts';
import { FakePublisher, studentParts } from '../../test/support/learning.ts';
import { version } from '../../test/fakes/router-parts.ts';
import { type Served, serve } from '../../test/support/serve.ts';
import { refusalOf } from '../../test/support/refusal.ts';
import {
  CommitStatus,
  LearnExample,
  LearnRequest,
  type LearnResponse,
  LearnStart,
  LearningServiceClient,
} from '../generated/tandem/v1/learning.ts';
import { RouterError } from '../core/errors.ts';
import { Code, type Status } from '../grpc/status.ts';
import { Students } from '../learning/students.ts';
import { Operations } from '../operations/operations.ts';
import type { Router } from '../routing/router.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { learnStream } from './learn-stream.ts';
import { learningMethods } from './learning.ts';
import { OpenCalls } from './open-calls.ts';

const dir = mkdtempSync(join(tmpdir(), 'tandem-learn-stream-'));
const publisher = new FakePublisher();
const students = new Students(studentParts(dir, publisher));
const operations = new Operations({ read: () => [], write: () => undefined });
const teacher = version(1, {
  name: 'teacher',
  readout: { from: 'spike_count', labels: ['yes', 'no'], temperature: 1 },
});
/** Answers "yes" with high confidence. */
const router = {
  reason: () => Promise.resolve({ answer: { scores: [0.9, 0.1], labelIndex: 0, label: 'yes' }, model: teacher }),
} as unknown as Router;
const parts = { router, students, operations, findVersion: () => teacher, filesOf: () => expect.anything() as never };
const options = {
  timeoutMs: 10_000,
  onInternalError: () => undefined,
  observer: new Metrics(),
  calls: new OpenCalls(),
};
let server: Served;
let client: LearningServiceClient;

beforeAll(async () => {
  await students.start(() => undefined);
  server = await serve(learningMethods(parts, { ...options, drained: new AbortController().signal }));
  client = new LearningServiceClient(server.address, grpc.credentials.createInsecure());
});

afterAll(async () => {
  client.close();
  server.stop();
  await students.stop();
  rmSync(dir, { recursive: true, force: true });
});

interface Sending {
  readonly answer: Promise<LearnResponse>;
  readonly stream: grpc.ClientWritableStream<LearnRequest>;
}

function begin(student: string, count: number): Sending {
  const { promise: answer, resolve, reject } = Promise.withResolvers<LearnResponse>();
  const stream = client.learn((error, response) => (error ? reject(error) : resolve(response)));
  stream.write(LearnRequest.fromPartial({ what: { $case: 'start', value: { student, teachers: ['teacher'] } } }));
  for (let n = 0; n < count; n += 1) {
    const label = n % 4 === 3 ? '' : n % 2 === 0 ? 'yes' : 'no';
    const value = { encoding: [n % 2, n / count, 1], label };
    stream.write(LearnRequest.fromPartial({ what: { $case: 'example', value } }));
  }
  return { answer, stream };
}

const learnt = (student: string): bigint => {
  const found = operations.list('learn').find(({ subject }) => subject === student);
  return BigInt(found?.done ?? -1);
};

it('Learn trains on examples, holds some out and commits', async () => {
  const { answer, stream } = begin('a', 100);
  stream.end();
  const { learnt: taught, heldOut, skipped, publishedVersion, commits } = await answer;
  expect([taught + heldOut, skipped, publishedVersion, commits.length]).toEqual([100n, 0n, 1, 1]);
  expect(publisher.versionsOf('a')).toEqual([{ version: 1, isServed: true }]);
});

it('Learn trains on an example before the next one arrives', async () => {
  const { answer, stream } = begin('slow', 3);
  while (learnt('slow') < 3n) await new Promise((resolve) => setTimeout(resolve, 5));
  stream.end();
  expect((await answer).skipped).toBe(0n);
});

it('Learn skips an example with an unknown label and returns the reason', async () => {
  const { answer, stream } = begin('b', 1);
  const value = { encoding: [1, 2, 3], label: 'perhaps' };
  stream.write(LearnRequest.fromPartial({ what: { $case: 'example', value } }));
  stream.end();
  expect((await answer).skippedReasons).toEqual(['example 2: label "perhaps" is not one of the student’s: yes, no, …']);
});

it('Learn accepts one call per student at a time', async () => {
  const first = begin('c', 1);
  while (learnt('c') < 1n) await new Promise((resolve) => setTimeout(resolve, 5));
  const second = begin('c', 1);
  expect((await refusalOf(second.answer)).reason).toBe('STUDENT_BUSY');
  first.stream.end();
  await first.answer;
});

it('Learn ends when its operation is cancelled and keeps what was learnt', async () => {
  const { answer } = begin('d', 5);
  while (learnt('d') < 5n) await new Promise((resolve) => setTimeout(resolve, 5));
  const { id } = operations.list('learn')[0]!;
  operations.cancel(id);
  expect((await refusalOf(answer)).code).toBe('CANCELLED');
  expect(operations.get(id).state).toBe('CANCELLED');
  expect((await students.find('d')).state.spec?.student).toBe('d');
});

it('Learn stops reading at 16 MiB of examples that are not learnt yet', () => {
  const call = new FakeCall<LearnResponse>();
  learnStream(parts, { ...options, drained: new AbortController().signal })(call);
  call.push({ what: { $case: 'start', value: { student: 'e', teachers: ['teacher'] } } });
  const example = { what: { $case: 'example', value: new Uint8Array(2 * 1_048_576) } };
  const paused = Array.from({ length: 8 }, () => {
    call.push(example);
    return call.isPaused;
  });
  call.cut();
  expect(paused).toEqual([...Array<boolean>(7).fill(false), true]);
});

it('Learn refuses a call whose first message is an example', async () => {
  const { promise, resolve, reject } = Promise.withResolvers<LearnResponse>();
  const stream = client.learn((error, response) => (error ? reject(error) : resolve(response)));
  stream.write(LearnRequest.fromPartial({ what: { $case: 'example', value: { encoding: [1] } } }));
  stream.end();
  expect((await refusalOf(promise)).field).toBe('start');
});

describe('a call of Learn', () => {
  let ended: [method: string, outcome: string, durationMs: number][];
  let internal: RouterError[];
  let drain: AbortController;
  let calls: OpenCalls;
  let call: FakeCall<LearnResponse>;
  /** How the call ended; undefined: OK. */
  let end: Promise<Status | undefined>;

  beforeEach(() => {
    ended = [];
    internal = [];
    drain = new AbortController();
    calls = new OpenCalls();
  });

  function open(over: Partial<typeof parts> = {}): void {
    const { promise, resolve } = Promise.withResolvers<Status | undefined>();
    end = promise;
    call = new FakeCall<LearnResponse>(resolve);
    call.path = '/tandem.v1.LearningService/Learn';
    learnStream(
      { ...parts, ...over },
      {
        ...{ timeoutMs: 10_000, drained: drain.signal, calls },
        onInternalError: (_path, error) => void internal.push(error),
        observer: { ...silent, requestEnded: (...each: (typeof ended)[number]) => void ended.push(each) },
      },
    )(call);
  }

  function push(message: { start: Partial<LearnStart> } | { example: Partial<LearnExample> } | Uint8Array): void {
    if (message instanceof Uint8Array) call.push({ what: { $case: 'example', value: message } });
    else if ('start' in message) {
      const value = LearnStart.fromPartial({ teachers: ['teacher'], ...message.start });
      call.push({ what: { $case: 'start', value } });
    } else {
      push(LearnExample.encode(LearnExample.fromPartial({ encoding: [1, 2, 3], ...message.example })).finish());
    }
  }

  const endInput = (): void => (call.listener as { onEnd(): void }).onEnd();
  const operationOf = (student: string) => operations.list('learn').find(({ subject }) => subject === student);

  it('that succeeds is counted once, with its duration, and leaves nothing open', async () => {
    open();
    const removed: string[] = [];
    const { removeEventListener } = drain.signal;
    drain.signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      removed.push(args[0]);
      removeEventListener.apply(drain.signal, args);
    };
    push({ start: { student: 'counted' } });
    for (let n = 0; n < 30; n += 1) push({ example: { encoding: [n, 1, 2], label: 'yes' } });
    endInput();
    expect(await end).toBeUndefined();
    const [answer] = call.answers;
    expect(answer).toMatchObject({ publishedVersion: 1, operationId: operationOf('counted')!.id });
    expect(answer!.processingTimeMs).toBeLessThanOrEqual(performance.now() - call.startedMs);
    expect(operationOf('counted')).toMatchObject({ state: 'SUCCEEDED', done: 30 });
    expect(operationOf('counted')!.result).toMatch(
      /^\d+ examples learnt, \d+ held out, 0 skipped; version 1 is published$/,
    );
    await new Promise(setImmediate);
    expect(ended).toEqual([['Learn', 'OK', expect.any(Number)]]);
    expect(ended[0]![2]).toBeGreaterThanOrEqual(answer!.processingTimeMs);
    expect(ended[0]![2]).toBeLessThanOrEqual(performance.now() - call.startedMs);
    expect(removed).toEqual(['abort']);
    await calls.finish(60_000);
  });

  it('that publishes nothing returns the version that is in use', async () => {
    for (const label of ['yes', '']) {
      open();
      push({ start: { student: 'worse', heldOutEvery: 1_000 } });
      push({ example: { label } });
      endInput();
      await end;
    }
    const [{ publishedVersion, commits }] = call.answers as [LearnResponse];
    expect([publishedVersion, commits.map(({ status }) => status)]).toEqual([0, [CommitStatus.COMMIT_STATUS_REJECTED]]);
    expect(operationOf('worse')!.result).toMatch(/; no new version is published$/);
  });

  it('pauses its caller at 32 messages that are not learnt yet', () => {
    open();
    push({ start: { student: 'paused' } });
    const paused = Array.from({ length: 31 }, () => {
      push({ example: {} });
      return call.isPaused;
    });
    call.cut();
    expect(paused).toEqual([...Array<boolean>(30).fill(false), true]);
  });

  it('skips an example that cannot be decoded, and learns the others', async () => {
    open();
    push({ start: { student: 'malformed' } });
    push(Uint8Array.of(0xff));
    push({ example: { label: 'yes' } });
    endInput();
    await end;
    const [{ learnt: taught, heldOut, skipped, skippedReasons }] = call.answers as [LearnResponse];
    expect([taught + heldOut, skipped, skippedReasons]).toEqual([1n, 1n, [expect.stringMatching(/^example 1: /)]]);
  });

  it('skips a message that could not be decoded', async () => {
    open();
    push({ start: { student: 'undecodable' } });
    call.push(new RouterError('INVALID_FIELD', 'it is malformed'));
    endInput();
    await end;
    expect(call.answers[0]!.skippedReasons).toEqual(['example 1: it is malformed']);
  });

  it('fails if a later message is no example', async () => {
    open();
    push({ start: { student: 'again' } });
    push({ start: { student: 'again' } });
    endInput();
    expect((await end)?.code).toBe(Code.INVALID_ARGUMENT);
    expect(operationOf('again')).toMatchObject({ state: 'FAILED' });
    await new Promise(setImmediate);
    expect(ended.map(([, outcome]) => outcome)).toEqual(['INVALID_FIELD']);
  });

  it('fails with the error of a first message that could not be decoded', async () => {
    open();
    call.push(new RouterError('INPUT_DTYPE', 'it is malformed'));
    expect((await end)?.message).toBe('it is malformed');
  });

  it('fails if it ends before its first message', async () => {
    open();
    endInput();
    expect((await end)?.code).toBe(Code.INVALID_ARGUMENT);
  });

  it('is refused while the router drains', async () => {
    drain.abort();
    open();
    expect((await end)?.code).toBe(Code.UNAVAILABLE);
  });

  it('ends when the router drains, and keeps what was learnt', async () => {
    open();
    push({ start: { student: 'drained' } });
    push({ example: { label: 'yes' } });
    while (learnt('drained') < 1n) await new Promise(setImmediate);
    drain.abort();
    expect((await end)?.code).toBe(Code.UNAVAILABLE);
    expect(operationOf('drained')!.state).toBe('FAILED');
  });

  it('ends when its caller leaves', async () => {
    open();
    push({ start: { student: 'left' } });
    push({ example: { label: 'yes' } });
    while (learnt('left') < 1n) await new Promise(setImmediate);
    call.cut();
    expect((await end)?.code).toBe(Code.CANCELLED);
  });

  it('ends at once if the student cannot go on, though its caller would', async () => {
    const full = new Students(studentParts(dir, publisher, { maxLogBytes: 1 }));
    await full.start(() => undefined);
    open({ students: full });
    push({ start: { student: 'full' } });
    push({ example: { label: 'yes' } });
    expect((await end)?.message).toMatch(/^the log of student "full" has reached 1 bytes/);
    await full.stop();
  });

  it('reports a bug', async () => {
    const findVersion = (): never => {
      throw new TypeError('a bug');
    };
    open({ findVersion });
    push({ start: { student: 'bug' } });
    expect((await end)?.code).toBe(Code.INTERNAL);
    await new Promise(setImmediate);
    expect([internal.length, ended.map(([, outcome]) => outcome)]).toEqual([1, ['INTERNAL']]);
  });

  it('gives the teachers the time of one request', async () => {
    let leftMs = 0;
    const timed = {
      reason: (question: unknown, { deadlineMs }: { deadlineMs: number }) => {
        leftMs = deadlineMs - performance.now();
        return (router as unknown as { reason: (question: unknown) => unknown }).reason(question);
      },
    } as unknown as Router;
    open({ router: timed });
    push({ start: { student: 'timed' } });
    push({ example: { label: 'yes' } });
    endInput();
    await end;
    expect(leftMs).toBeGreaterThan(1_000);
    expect(leftMs).toBeLessThanOrEqual(10_000);
  });

  it('reads on as examples are learnt, however many there are', async () => {
    open();
    push({ start: { student: 'many' } });
    for (let n = 0; n < 200; n += 1) push({ example: { encoding: [n, 1, 2], label: 'yes' } });
    while (learnt('many') < 200n) await new Promise(setImmediate);
    expect(call.isPaused).toBe(false);
    endInput();
    await end;
    expect(call.answers[0]!.learnt + call.answers[0]!.heldOut).toBe(200n);
  });
});
