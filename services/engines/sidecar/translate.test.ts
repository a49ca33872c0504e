import { describe, expect, it } from '@jest/globals';
import type { RouterError } from '../../core/errors.ts';
import { ErrorInfo } from '../../generated/google/rpc/error_details.ts';
import { Status as Details } from '../../generated/google/rpc/status.ts';
import {
  Detail,
  DescribeResponse,
  InferError,
  LayerActivity,
  RecordedNode,
  TraceResponse,
} from '../../generated/tandem/engine/v1/engine.ts';
import { DETAILS, Metadata } from '../../grpc/metadata.ts';
import { Code, type Status } from '../../grpc/status.ts';
import {
  fromDetail,
  fromStatus,
  toDescription,
  toDownReason,
  toLayer,
  toRecording,
  toRouterError,
  toTrace,
} from './translate.ts';

const LONG = 'x'.repeat(2_000);

describe('an engine’s error', () => {
  const errorOf = (over: Partial<InferError>): RouterError => toRouterError('e', InferError.fromPartial(over));

  it.each([
    ['NON_FINITE', 'NON_FINITE'],
    ['DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED'],
    ['CANCELLED', 'ENGINE_FAULT'],
    ['UNKNOWN_RECORDING', 'ENGINE_FAULT'],
    ['TRACE_STEP', 'ENGINE_FAULT'],
  ])('with reason %s for an inference becomes %s', (reason, kind) => {
    expect(errorOf({ reason }).kind).toBe(kind);
  });

  it('keeps its message, its facts and the id of its recording', () => {
    const { message, metadata, recordingId } = errorOf({
      ...{ reason: 'NON_FINITE', message: 'overflow', metadata: { node: 'lif' }, recordingId: 5n },
    });
    expect([message, metadata, recordingId]).toEqual(['overflow', { node: 'lif' }, 5n]);
  });

  it('has at most 8 facts, with names of 64 and values of 256 characters', () => {
    const names = Array.from({ length: 9 }, (_, index) => `${index}${LONG}`);
    const { metadata } = errorOf({
      ...{ reason: 'NON_FINITE', metadata: Object.fromEntries(names.map((name) => [name, LONG])) },
    });
    const sizes = Object.entries(metadata).map(([name, fact]) => [name.length, fact.length]);
    expect(sizes).toEqual(Array(8).fill([64, 256]));
  });

  it('that is its fault names the engine and its reason', () => {
    expect(errorOf({ reason: LONG, message: LONG }).message).toBe(
      `engine "e" failed: ${'x'.repeat(64)}: ${'x'.repeat(256)}`,
    );
  });
});

describe('the status of a unary call', () => {
  const refusal = (reason: string): Status => {
    const value = ErrorInfo.encode(ErrorInfo.fromPartial({ reason, metadata: { fact: 'a' } })).finish();
    const details = [{ typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value }];
    const metadata = Metadata.of({ [DETAILS]: Details.encode(Details.fromPartial({ details })).finish() });
    return { code: Code.INTERNAL, message: 'on purpose', metadata };
  };

  it.each([
    [Code.UNIMPLEMENTED, 'ENGINE_FAULT', 'engine "e" cannot do that; a newer build may'],
    [Code.DEADLINE_EXCEEDED, 'DEADLINE_EXCEEDED', 'the deadline passed before engine "e" answered'],
    [Code.UNAVAILABLE, 'ENGINE_LOST', 'engine "e" was lost: no'],
    [Code.CANCELLED, 'ENGINE_LOST', 'engine "e" was lost: no'],
    [Code.INTERNAL, 'ENGINE_FAULT', 'engine "e" failed: INTERNAL: no'],
    [17, 'ENGINE_FAULT', 'engine "e" failed: a status that gRPC does not have: no'],
  ])('%d becomes %s', (code, kind, message) => {
    expect(fromStatus('e', { code, message: 'no' })).toMatchObject({ kind, message });
  });

  it.each(['MODEL_LIMIT', 'MODEL_DIFFERS', 'UNKNOWN_RECORDING', 'TRACE_TOO_LARGE', 'UNKNOWN_MODEL'] as const)(
    'with reason %s in its details keeps it',
    (kind) => {
      const status = refusal(kind);
      const { kind: found, message, metadata, recordingId } = fromStatus('e', status);
      expect([found, message, metadata['fact'], recordingId]).toEqual([kind, 'on purpose', 'a', 0n]);
    },
  );

  it('with a reason that no engine may give is its fault', () => {
    expect(fromStatus('e', refusal('ROUTER_FULL')).kind).toBe('ENGINE_FAULT');
  });
});

describe('texts of an engine', () => {
  it('are cut: names of nodes at 1025 characters, reasons at 64 and the cause of a loss at 300', () => {
    const traced = toTrace(TraceResponse.fromPartial({ nodes: [LONG], ended: LONG }));
    const nodes = [RecordedNode.fromPartial({ node: LONG })];
    const recorded = toRecording({ model: '', modelVersion: 1, steps: 1, nodes, ended: LONG });
    const layer = toLayer(LayerActivity.fromPartial({ node: LONG }));
    const lengths = [traced.nodes[0]!, traced.ended, recorded.nodes[0]!.node, recorded.ended, layer.node];
    expect(lengths.map(({ length }) => length)).toEqual([1_025, 64, 1_025, 64, 1_025]);
    expect(toDownReason(new Error(LONG))).toHaveLength(300);
  });

  it('have no characters that do not print', () => {
    expect(toTrace(TraceResponse.fromPartial({ nodes: ['a\n'], ended: '\u202e' }))).toMatchObject({
      ...{ nodes: ['a?'], ended: '?' },
    });
  });
});

describe('the counts of a layer', () => {
  it.each([
    [2n ** 53n - 1n, 2 ** 53 - 1],
    [2n ** 53n, Infinity],
  ])('are exact or infinite: %d', (spikes, expected) => {
    const layer = toLayer(LayerActivity.fromPartial({ spikes, eventsLeftOut: spikes }));
    expect([layer.spikes, layer.eventsLeftOut]).toEqual([expected, expected]);
  });
});

describe('the detail of a request', () => {
  it.each([
    [undefined, Detail.DETAIL_UNSPECIFIED],
    ['SUMMARY', Detail.DETAIL_UNSPECIFIED],
    ['LAYERS', Detail.DETAIL_LAYERS],
    ['RASTER', Detail.DETAIL_RASTER],
    ['READOUT', Detail.DETAIL_READOUT],
  ] as const)('%s is %d on the wire', (detail, wire) => {
    expect(fromDetail(detail)).toBe(wire);
  });
});

describe('a description', () => {
  it('accepts messages of 4 MiB unless it says otherwise', () => {
    const sizes = [0n, 1n].map((maxMessageBytes) => toDescription(DescribeResponse.fromPartial({ maxMessageBytes })));
    expect(sizes.map(({ maxMessageBytes }) => maxMessageBytes)).toEqual([4_194_304, 1]);
  });

  it('has the facts of the engine', () => {
    const wire = DescribeResponse.fromPartial({
      ...{ build: 'b', numericsVersion: 2, instanceId: Buffer.of(1, 255), maxInFlight: 3, sessionStates: true },
      models: [{ name: 'm', version: 2, modelId: 9n, parameters: 6n, error: 'no' }],
    });
    expect(toDescription(wire)).toMatchObject({
      ...{ build: 'b', numericsVersion: 2, instanceId: '01ff', maxInFlight: 3, sessionStates: true },
      models: [{ name: 'm', version: 2, modelId: 9n, parameters: 6, error: 'no' }],
    });
  });
});
