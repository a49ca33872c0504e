// How often a request may have each of its fields.
import { join } from 'node:path';
import { loadSync } from '@grpc/proto-loader';
import { describe, expect, it } from '@jest/globals';
import * as limits from './request-limits.ts';

interface Message {
  readonly name: string;
  readonly field: readonly { readonly name: string; readonly number: number; readonly typeName: string }[];
  readonly nestedType: readonly Message[];
}

type Checks = { readonly [name in keyof typeof limits]: (typeof limits)[name] extends limits.Check ? name : never };

const FILES = ['agents', 'engines', 'events', 'learning', 'models', 'operations', 'reasoning', 'sessions'];
const definition = loadSync(
  FILES.map((name) => `tandem/v1/${name}.proto`),
  { keepCase: true, includeDirs: [join(import.meta.dirname, '../../proto')] },
);

const PARTS = 65_536;
const TENSOR = { 'tensor.shape': 64, 'tensor.dtype': 1, 'tensor.data': 1 };
const INPUT = {
  ...{ request_id: 1, encoding: PARTS, tensor: 1, ...TENSOR, vote: 1, text: 1, events: 1 },
  ...{ 'events.t_us': PARTS, 'events.x': PARTS, 'events.y': PARTS, 'events.polarity': PARTS },
};

/** Each path with the number of times that its field may occur; its message. */
const ALLOWED: readonly [Checks[keyof Checks], string, Readonly<Record<string, number>>][] = [
  ['checkReason', 'ReasonRequest', { ...INPUT, model: 1, session: 1, 'session.id': 1, 'session.state': 1 }],
  ['checkCoordinate', 'CoordinateRequest', { request_id: 1, teachers: 64, student: 1, encoding: PARTS, text: 1 }],
  [
    'checkLearn',
    'LearnRequest',
    { start: 1, example: 1, 'start.student': 1, 'start.teachers': 64, 'start.base': 1, 'start.labels': 8_192 },
  ],
  ['checkLearnExample', 'LearnExample', { label: 1, encoding: PARTS, text: 1 }],
  ['checkStudent', 'RollBackStudentRequest', { student: 1 }],
  ['checkStudent', 'GetLearningStateRequest', { student: 1 }],
  ['checkOperation', 'GetOperationRequest', { id: 1 }],
  ['checkOperation', 'CancelOperationRequest', { id: 1 }],
  ['checkReasonStream', 'ReasonStreamRequest', { request: 1 }],
  ['checkListSessions', 'ListSessionsRequest', { page_token: 1 }],
  ['checkEndSession', 'EndSessionRequest', { id: 1, caller: 1 }],
  ['checkGetModel', 'GetModelRequest', { model: 1 }],
  ['checkLoadModel', 'LoadModelRequest', { name: 1, nir: 1, manifest: 1, labels: 1, golden: 1 }],
  ['checkUnloadModel', 'UnloadModelRequest', { name: 1 }],
  ['checkEngineId', 'RemoveEngineRequest', { engine_id: 1 }],
  ['checkRegister', 'RegisterEngineRequest', { engine_id: 1, address: 1 }],
  ['checkReplay', 'ReplayInputRequest', { model: 1, tensor: 1, ...TENSOR }],
  ['checkSubscribe', 'SubscribeRequest', { topics: 128, instance: 1 }],
  ['checkQuery', 'QueryRequest', { query: 1, corpus: 1, label: 1 }],
  ['checkIndexCorpus', 'IndexCorpusRequest', { corpus: 1 }],
  ['checkGoal', 'AnalyzeGoalRequest', { goal: 1 }],
  ['checkTask', 'DecomposeTaskRequest', { task: 1 }],
  ['checkPublish', 'PublishRequest', { topic: 1, text: 1, data: 64, 'data.key': 1, 'data.value': 1, payload: 1 }],
];

function typeOf(name: string): Message {
  return (definition[`tandem.v1.${name}`] as unknown as { type: Message }).type;
}

function find(message: Message, typeName: string): Message {
  const name = typeName.split('.').at(-1)!;
  return message.nestedType.find((each) => each.name === name) ?? typeOf(name);
}

/** A message with that many empty fields at the path. */
function repeated(message: Message, [name, ...inner]: string[], times: number): Buffer {
  const { number, typeName } = message.field.find((field) => field.name === name)!;
  const tag = number < 16 ? [number * 8 + 2] : [((number * 8 + 2) & 127) | 128, number >> 4];
  if (inner.length === 0) return Buffer.alloc((tag.length + 1) * times, Buffer.from([...tag, 0]));
  const bytes = repeated(find(message, typeName), inner, times);
  const length = [bytes.length, bytes.length >> 7].map((part) => (part & 127) | 128);
  return Buffer.concat([Buffer.from([...tag, ...length, bytes.length >> 14]), bytes]);
}

const CASES = ALLOWED.flatMap(([check, message, fields]) =>
  Object.entries(fields).map(([path, times]) => ({ check, message, path, times })),
);

describe('a request', () => {
  it.each(CASES)('of $message may have $path as often as $times, and no more', ({ check, message, path, times }) => {
    const bytes = (count: number): Buffer => repeated(typeOf(message), path.split('.'), count);
    const run = limits[check];
    expect(() => run(bytes(times))).not.toThrow();
    const names = [path, ...path.split('.')].join('|');
    expect(() => run(bytes(times + 1))).toThrow(new RegExp(`^more than ${times} (${names})$`));
  });

  it('for learning must not have a model', () => {
    expect(() => limits.checkLearnExample(Buffer.from([0x12, 0]))).toThrow('more than 0 model');
  });

  it('without fields that can grow may have 64 of them', () => {
    expect(() => limits.checkPlain(Buffer.alloc(128, Buffer.from([0x0a, 0])))).not.toThrow();
    expect(() => limits.checkPlain(Buffer.alloc(130, Buffer.from([0x0a, 0])))).toThrow('too many fields');
  });
});

describe('checkBatch', () => {
  const requests = (count: number): Buffer => Buffer.alloc(2 * count, Buffer.from([0x0a, 0]));

  it('takes as many requests as the setting then allows', () => {
    expect(() => limits.checkBatch(requests(3), 3)).not.toThrow();
    expect(() => limits.checkBatch(requests(3), 2)).toThrow('more than 2 requests in one batch');
  });

  it('has the error of a batch for too many requests only', () => {
    expect(() => limits.checkBatch(Buffer.from([0x0a, 9]), 3)).toThrow('a field is longer than its message');
    expect(() => limits.checkBatch(Buffer.alloc(130, Buffer.from([0x12, 0])), 3)).toThrow('too many fields');
  });
});
