import { describe, expect, it } from '@jest/globals';
import {
  DescribeResponse,
  GetRecordingResponse,
  InferResult,
  InferStreamResponse,
  LayerActivity,
  LoadModelResponse,
  ModelDescription,
  RecordedNode,
  TraceResponse,
} from '../../generated/tandem/engine/v1/engine.ts';
import { checkDescription, checkInferMessage, checkLoaded, checkRecording, checkTrace } from './message-limits.ts';

const owed = { answers: 64, withLayers: 0, withState: 0, outputs: 45 };

/** Many empty elements of a field: each becomes an object when decoded. */
const bomb = (tag: number, bytes: number): Buffer => Buffer.alloc(bytes, Buffer.of(tag, 0));

const encode = (...results: InferResult[]): Uint8Array => {
  return InferStreamResponse.encode({ results, checksum: 1n }).finish();
};

const answerOf = (over: object): InferResult => {
  return InferResult.fromPartial({ id: 1n, outcome: { $case: 'inference', value: over } });
};

const layersOf = (count: number, events: number): LayerActivity[] => {
  const some = { eventSteps: Array<number>(events).fill(90_000), eventNeurons: Array<number>(events).fill(900_000) };
  const rest = Array.from({ length: 99 }, () => ({ node: 'lif', spikesPerStep: Array<number>(count).fill(900_000) }));
  return [{ node: 'first', ...some }, ...rest].map((each) => LayerActivity.fromPartial(each));
};

describe('checkInferMessage', () => {
  it.each<[string, Uint8Array, typeof owed]>([
    [
      'an answer to each input',
      encode(...Array.from({ length: 64 }, () => answerOf({ spikeCounts: Array(45).fill(300) }))),
      owed,
    ],
    [
      'the largest answer',
      encode(answerOf({ spikeCounts: Array(1_048_576).fill(90_000), potentials: Buffer.alloc(4 * 1_048_576) })),
      { ...owed, answers: 1, outputs: 1_048_576 },
    ],
    [
      'the largest layers',
      encode(answerOf({ layers: layersOf(2_500, 100_000) })),
      { ...owed, answers: 1, withLayers: 1 },
    ],
    [
      'the largest session state',
      encode(answerOf({ state: Buffer.alloc(4_000_000) })),
      { ...owed, answers: 1, withState: 1 },
    ],
    ['a few unexpected results', encode(...Array.from({ length: 16 }, () => answerOf({}))), { ...owed, answers: 0 }],
    ['an answer with a few counts too many', encode(answerOf({ spikeCounts: Array(50).fill(1) })), owed],
  ])('accepts %s', (_, bytes, requested) => {
    expect(() => checkInferMessage(bytes, requested)).not.toThrow();
  });

  it.each<[string, Uint8Array, string]>([
    ['empty results', bomb(0x0a, 600_000), 'more than 144 results'],
    ['many bytes', bomb(0x0a, 6_000_000), '6000000 bytes, where'],
    ['spike counts', encode(answerOf({ spikeCounts: Array(1_025).fill(1) })), 'more than 1024 spike counts'],
    ['potentials', encode(answerOf({ potentials: Buffer.alloc(4_100) })), 'more than 4096 bytes of potentials'],
    ['layers without a request for them', encode(answerOf({ layers: layersOf(1, 1) })), 'more than 64 layers'],
    [
      'metadata entries',
      encode(
        InferResult.fromPartial({
          outcome: {
            $case: 'error',
            value: { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [n, ''])) },
          },
        }),
      ),
      'more than 16 facts of an error',
    ],
    [
      'bytes of a text',
      encode(InferResult.fromPartial({ outcome: { $case: 'error', value: { message: 'a'.repeat(16_385) } } })),
      'more than 16384 bytes of a message',
    ],
  ])('refuses too many %s', (_, bytes, why) => {
    expect(() => checkInferMessage(bytes, owed)).toThrow(why);
  });
});

describe('the size of a message of answers', () => {
  const EMPTY = { answers: 0, withLayers: 0, withState: 0, outputs: 0 };

  it.each<[string, Partial<typeof owed>, number]>([
    ['nothing', {}, 65_536 + 16 * (4_096 + 9 * 1_024)],
    ['an answer', { answers: 1 }, 65_536 + 18 * (4_096 + 9 * 1_024)],
    ['larger outputs', { outputs: 2_000 }, 65_536 + 16 * (4_096 + 9 * 2_000)],
    ['layers', { withLayers: 1 }, 65_536 + 16 * (4_096 + 9 * 1_024) + 3 * 250_000 + 6 * 100_000 + 1_048_576],
    ['a state', { withState: 1 }, 65_536 + 16 * (4_096 + 9 * 1_024) + 4_000_000],
    ['very much', { answers: 4_096, outputs: 1_048_576 }, 16_777_216],
  ])('is limited if the engine owes %s', (_, over, maxBytes) => {
    const check = (bytes: number): void => checkInferMessage(Buffer.alloc(bytes, 0), { ...EMPTY, ...over });
    expect(() => check(maxBytes + 1)).toThrow(`${maxBytes + 1} bytes, where ${maxBytes} are the most`);
    expect(() => check(maxBytes)).not.toThrow('are the most');
  });

  it.each([
    ['answer', 4_097, { answers: 4_000 }, 'more than 4096 results'],
    ['layers', 65, {}, 'more than 64 layers'],
  ])('limits each %s', (what, count, over, why) => {
    const one = { ...EMPTY, ...over };
    const times = (n: number): Uint8Array =>
      what === 'layers'
        ? encode(answerOf({ layers: Array(n).fill({}) }))
        : encode(...Array<InferResult>(n).fill(answerOf({})));
    expect(() => checkInferMessage(times(count - 1), one)).not.toThrow();
    expect(() => checkInferMessage(times(count), one)).toThrow(why);
  });

  it.each<[number, number]>([
    [0, 4 * 1_024],
    [1, 4 * 250_000],
  ])('limits the readout of each step, for %d inputs with detail, to %d bytes', (withLayers, bytes) => {
    const check = (length: number): void =>
      checkInferMessage(encode(answerOf({ readoutPerStep: Buffer.alloc(length) })), { ...EMPTY, withLayers });
    expect(() => check(bytes)).not.toThrow();
    expect(() => check(bytes + 1)).toThrow(`more than ${bytes} bytes of readout`);
  });

  it.each<[keyof LayerActivity, number, string]>([
    ['spikesPerStep', 250_000, 'counts of a layer'],
    ['eventSteps', 100_000, 'steps of events'],
    ['eventNeurons', 100_000, 'neurons of events'],
  ])('limits %s of a layer to %d', (field, most, name) => {
    const check = (count: number): void =>
      checkInferMessage(encode(answerOf({ layers: [{ [field]: Array<number>(count).fill(1) }] })), {
        ...EMPTY,
        withLayers: 1,
      });
    expect(() => check(most)).not.toThrow();
    expect(() => check(most + 1)).toThrow(`more than ${most} ${name}`);
  });

  it('allows no state that was not requested', () => {
    const check = (state: Buffer): void => checkInferMessage(encode(answerOf({ state })), EMPTY);
    expect(() => check(Buffer.alloc(0))).not.toThrow();
    expect(() => check(Buffer.alloc(1))).toThrow('more than 0 bytes of a session state');
  });
});

describe('the answer to a load', () => {
  const loaded = (model: object): Uint8Array =>
    LoadModelResponse.encode(LoadModelResponse.fromPartial({ model })).finish();

  it('has one model', () => {
    expect(() => checkLoaded(loaded({ name: 'm' }))).not.toThrow();
    expect(() => checkLoaded(Buffer.concat([loaded({}), loaded({})]))).toThrow('more than 1 models');
  });

  it('has short texts, and 1 MiB at most', () => {
    expect(() => checkLoaded(loaded({ name: 'a'.repeat(16_385) }))).toThrow('more than 16384 bytes of a name');
    expect(() => checkLoaded(Buffer.alloc(1_048_577))).toThrow('1048577 bytes, where 1048576 are the most');
  });
});

describe('checks of unary responses', () => {
  const models = (count: number): Uint8Array => {
    return DescribeResponse.encode(
      DescribeResponse.fromPartial({
        models: Array.from({ length: count }, () => ModelDescription.fromPartial({ name: 'm' })),
      }),
    ).finish();
  };
  const nodes = Array.from({ length: 4_096 }, (_, n) =>
    RecordedNode.fromPartial({ node: `${n}`, stateChecksums: Array(16).fill(7) }),
  );

  it('accept the largest valid responses', () => {
    expect(() => checkDescription(models(1_024))).not.toThrow();
    expect(() =>
      checkRecording(GetRecordingResponse.encode(GetRecordingResponse.fromPartial({ nodes })).finish()),
    ).not.toThrow();
    const digests = Array<bigint>(1_000_000).fill(2n ** 64n - 1n);
    expect(() =>
      checkTrace(TraceResponse.encode(TraceResponse.fromPartial({ nodes: ['a'], digests })).finish()),
    ).not.toThrow();
  });

  it.each([
    ['models of a description', () => checkDescription(models(1_025)), 'more than 1024 models'],
    [
      'bytes of a description',
      () => checkDescription(bomb(0x22, 1_100_000)),
      '1100000 bytes, where 1048576 are the most',
    ],
    [
      'bytes of an instance id',
      () =>
        checkDescription(
          DescribeResponse.encode(DescribeResponse.fromPartial({ instanceId: Buffer.alloc(65) })).finish(),
        ),
      'more than 64 bytes of an instance id',
    ],
    [
      'bytes of checksums',
      () =>
        checkRecording(
          GetRecordingResponse.encode(
            GetRecordingResponse.fromPartial({ nodes: [{ stateChecksums: Array<number>(100_001).fill(1) }] }),
          ).finish(),
        ),
      'more than 400000 bytes of state checksums',
    ],
    ['nodes of a recording', () => checkRecording(bomb(0x22, 8_000_000)), 'more than 4096 nodes'],
    ['bytes of a recording', () => checkRecording(bomb(0x22, 8_400_000)), '8400000 bytes, where 8388608 are the most'],
    ['nodes of a trace', () => checkTrace(bomb(0x0a, 16_000_000)), 'more than 4096 nodes'],
    [
      'digests of a trace',
      () =>
        checkTrace(
          TraceResponse.encode(TraceResponse.fromPartial({ digests: Array<bigint>(1_000_001).fill(1n) })).finish(),
        ),
      'more than 8000000 bytes of digests',
    ],
  ])('refuse too many %s', (_, checking, why) => {
    expect(checking).toThrow(why);
  });
});

describe('text of an engine is refused above 16384 bytes:', () => {
  const text16k = 'a'.repeat(16_384);
  const description = (over: object): Uint8Array =>
    DescribeResponse.encode(DescribeResponse.fromPartial(over)).finish();
  const record = (over: object): Uint8Array =>
    GetRecordingResponse.encode(GetRecordingResponse.fromPartial(over)).finish();
  const traced = (over: object): Uint8Array => TraceResponse.encode(TraceResponse.fromPartial(over)).finish();
  const refused = (value: object): Uint8Array =>
    encode(InferResult.fromPartial({ id: 1n, outcome: { $case: 'error', value } }));
  const message = (bytes: Uint8Array): void => checkInferMessage(bytes, owed);

  it.each<[string, (text: string) => void]>([
    ['the engine’s id', (text) => checkDescription(description({ engineId: text }))],
    ['the engine’s build', (text) => checkDescription(description({ build: text }))],
    ['a model’s name', (text) => checkDescription(description({ models: [{ name: text }] }))],
    ['a model’s error', (text) => checkDescription(description({ models: [{ error: text }] }))],
    ['a recording’s model', (text) => checkRecording(record({ model: text }))],
    ['a recording’s node', (text) => checkRecording(record({ nodes: [{ node: text }] }))],
    ['a recording’s failure', (text) => checkRecording(record({ ended: text }))],
    ['a trace’s failure', (text) => checkTrace(traced({ ended: text }))],
    ['an error’s reason', (text) => message(refused({ reason: text }))],
    ['an error’s message', (text) => message(refused({ message: text }))],
    ['a metadata value', (text) => message(refused({ metadata: { fact: text } }))],
    ['a metadata key', (text) => message(refused({ metadata: { [text]: '' } }))],
    ['a trace’s node', (text) => checkTrace(traced({ nodes: [text] }))],
    ['a layer’s name', (text) => message(encode(answerOf({ layers: [{ node: text }] })))],
  ])('%s', (_, check) => {
    expect(() => check(text16k)).not.toThrow();
    expect(() => check(`${text16k}a`)).toThrow('more than 16384 bytes of ');
  });
});
