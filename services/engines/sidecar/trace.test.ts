// Traces over gRPC, against an engine of a few lines: FakeSidecar is one that cannot trace.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import { FakeSidecar } from '../../../test/fakes/fake-sidecar.ts';
import type { RouterError } from '../../core/errors.ts';
import type { CallContext } from '../../core/inference.ts';
import { ErrorInfo } from '../../generated/google/rpc/error_details.ts';
import { Status } from '../../generated/google/rpc/status.ts';
import {
  DescribeResponse,
  EngineServiceService,
  type TraceRequest,
  TraceResponse,
} from '../../generated/tandem/engine/v1/engine.ts';
import { SidecarEngine } from './sidecar-engine.ts';
import { fromStatus } from './translate.ts';

type Reply = grpc.sendUnaryData<TraceResponse>;

const input = { model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) };

let server: grpc.Server;
let engine: SidecarEngine;
let onTrace: (request: TraceRequest, reply: Reply) => void;

beforeEach(async () => {
  server = new grpc.Server();
  server.addService(EngineServiceService, {
    describe: ((_, reply) => {
      reply(null, DescribeResponse.fromPartial({ engineId: 'tracer', numericsVersion: 1 }));
    }) as grpc.handleUnaryCall<unknown, DescribeResponse>,
    inferStream: ((stream) => stream.resume()) as grpc.handleBidiStreamingCall<unknown, unknown>,
    trace: (({ request }, reply) => onTrace(request, reply)) as grpc.handleUnaryCall<TraceRequest, TraceResponse>,
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  engine = new SidecarEngine('tracer', `127.0.0.1:${port}`);
  await engine.start();
});

afterEach(async () => {
  server.forceShutdown();
  await engine.stop();
});

function context(over: Partial<CallContext> = {}): CallContext {
  return { deadlineMs: Infinity, signal: new AbortController().signal, ...over };
}

async function kindOf(tracing: Promise<unknown>): Promise<string> {
  return await tracing.then(
    () => 'traced',
    (error: unknown) => (error as RouterError).kind,
  );
}

function refusal(reason: string): Partial<grpc.StatusObject> {
  const value = Buffer.from(ErrorInfo.encode({ reason, domain: 'tandem', metadata: {} }).finish());
  const details = [{ typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value }];
  const metadata = new grpc.Metadata();
  const status = Status.fromPartial({ code: grpc.status.INVALID_ARGUMENT, details });
  metadata.set('grpc-status-details-bin', Buffer.from(Status.encode(status).finish()));
  return { code: grpc.status.INVALID_ARGUMENT, details: 'on purpose', metadata };
}

describe('a trace', () => {
  it('keeps all 64 bits of its digests', async () => {
    const digests = [0xfedcba9876543210n, 1n];
    onTrace = (_, reply) => reply(null, TraceResponse.fromPartial({ nodes: ['a'], digests, ended: 'NON_FINITE' }));
    const traced = await engine.trace(input, undefined, context());
    expect([traced.nodes, [...traced.digests], traced.ended]).toEqual([['a'], digests, 'NON_FINITE']);
  });

  it('of a place brings its values', async () => {
    onTrace = ({ place, item }, reply) => {
      expect([place, item?.model, item?.shape]).toEqual([{ step: 2, node: 'a' }, 'm', [3]]);
      reply(null, TraceResponse.fromPartial({ nodes: ['a'], potential: Buffer.from('abcd') }));
    };
    const { current, potential } = await engine.trace(input, { step: 2, node: 'a' }, context());
    expect([Buffer.from(current).toString(), Buffer.from(potential).toString()]).toEqual(['', 'abcd']);
  });

  it('ends at the deadline of its caller, or when the caller leaves', async () => {
    onTrace = () => undefined;
    expect(await kindOf(engine.trace(input, undefined, context({ deadlineMs: performance.now() + 30 })))).toBe(
      'DEADLINE_EXCEEDED',
    );
    const caller = new AbortController();
    const tracing = kindOf(engine.trace(input, undefined, context({ signal: caller.signal })));
    caller.abort();
    expect(await tracing).toBe('INTERNAL'); // the abort's own reason was no RouterError
  });

  it.each([
    ['TRACE_STEP', 'TRACE_STEP'],
    ['TRACE_NODE', 'TRACE_NODE'],
    ['TRACE_TOO_LARGE', 'TRACE_TOO_LARGE'],
    ['UNKNOWN_MODEL', 'UNKNOWN_MODEL'],
    ['INTERNAL', 'ENGINE_FAULT'],
  ])('that the engine refuses with %s is refused with %s', async (reason, kind) => {
    onTrace = (_, reply) => reply(refusal(reason));
    expect(await kindOf(engine.trace(input, undefined, context()))).toBe(kind);
  });

  it.each([
    ['details that are no message', 'ffffffffff', 13, 'INTERNAL: on purpose'],
    ['details without an end', '1a050a0561', 13, 'INTERNAL: on purpose'],
    ['a status that there is not', '', 99, 'a status that gRPC does not have: on purpose'],
  ])('that is refused with %s is refused in plain words', async (_, details, code, why) => {
    const metadata = new grpc.Metadata();
    if (details !== '') metadata.set('grpc-status-details-bin', Buffer.from(details, 'hex'));
    onTrace = (_call, reply) => reply({ code: code as unknown as grpc.status, details: 'on purpose', metadata });
    await expect(engine.trace(input, undefined, context())).rejects.toMatchObject({
      kind: 'ENGINE_FAULT',
      message: `engine "tracer" failed: ${why}`,
    });
  });

  it('that ends with no text at all is refused in plain words', () => {
    expect(fromStatus('tracer', { code: 99, message: '' }).message).toBe(
      'engine "tracer" failed: a status that gRPC does not have: it gave no reason',
    );
  });

  it('of an engine that is lost meanwhile is lost', async () => {
    onTrace = () => server.forceShutdown();
    expect(await kindOf(engine.trace(input, undefined, context()))).toBe('ENGINE_LOST');
  });

  it('is refused, in words, for an engine that cannot trace', async () => {
    const sidecar = await new FakeSidecar().start();
    const older = new SidecarEngine('older', sidecar.address);
    await older.start();
    await expect(older.trace(input, undefined, context())).rejects.toMatchObject({
      kind: 'ENGINE_FAULT',
      message: 'engine "older" cannot do that; a newer build may',
    });
    sidecar.kill();
    await older.stop();
  });
});
