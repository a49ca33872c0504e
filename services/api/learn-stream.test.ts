import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import { FakeCall } from '../../test/fakes/fake-call.ts';
import { FakePublisher, studentParts } from '../../test/support/learning.ts';
import { version } from '../../test/fakes/router-parts.ts';
import { type Served, serve } from '../../test/support/serve.ts';
import { refusalOf } from '../../test/support/refusal.ts';
import { LearnRequest, type LearnResponse, LearningServiceClient } from '../generated/tandem/v1/learning.ts';
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
