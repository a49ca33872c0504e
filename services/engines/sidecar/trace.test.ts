// Traces over gRPC, against a minimal engine, since FakeSidecar cannot trace.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import { FakeSidecar, engineRefusal } from '../../../test/fakes/fake-sidecar.ts';
import type { RouterError } from '../../core/errors.ts';
import type { CallContext } from '../../core/inference.ts';
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

describe('SidecarEngine.trace', () => {
  it('keeps all 64 bits of the digests', async () => {
    const digests = [0xfedcba9876543210n, 1n];
    onTrace = (_, reply) => reply(null, TraceResponse.fromPartial({ nodes: ['a'], digests, ended: 'NON_FINITE' }));
    const traced = await engine.trace(input, undefined, context());
    expect([traced.nodes, [...traced.digests], traced.ended]).toEqual([['a'], digests, 'NON_FINITE']);
  });

  it('returns the values of one node and step', async () => {
    onTrace = ({ place, item }, reply) => {
      expect([place, item?.model, item?.shape]).toEqual([{ step: 2, node: 'a' }, 'm', [3]]);
      reply(null, TraceResponse.fromPartial({ nodes: ['a'], potential: Buffer.from('abcd') }));
    };
    const { current, potential } = await engine.trace(input, { step: 2, node: 'a' }, context());
    expect([Buffer.from(current).toString(), Buffer.from(potential).toString()]).toEqual(['', 'abcd']);
  });

  it('ends at the deadline or if the caller leaves', async () => {
    onTrace = () => undefined;
    expect(await kindOf(engine.trace(input, undefined, context({ deadlineMs: performance.now() + 30 })))).toBe(
      'DEADLINE_EXCEEDED',
    );
    const caller = new AbortController();
    const tracing = kindOf(engine.trace(input, undefined, context({ signal: caller.signal })));
    caller.abort();
    expect(await tracing).toBe('INTERNAL'); // the reason of the abort was not a RouterError
  });

  it.each([
    ['TRACE_STEP', 'TRACE_STEP'],
    ['TRACE_NODE', 'TRACE_NODE'],
    ['TRACE_TOO_LARGE', 'TRACE_TOO_LARGE'],
    ['UNKNOWN_MODEL', 'UNKNOWN_MODEL'],
    ['INTERNAL', 'ENGINE_FAULT'],
  ])('converts the engine’s %s to %s', async (reason, kind) => {
    onTrace = (_, reply) => reply(engineRefusal(reason));
    expect(await kindOf(engine.trace(input, undefined, context()))).toBe(kind);
  });

  it.each([
    ['malformed details', 'ffffffffff', 13, 'INTERNAL: on purpose'],
    ['truncated details', '1a050a0561', 13, 'INTERNAL: on purpose'],
    ['an unknown status', '', 99, 'a status that gRPC does not have: on purpose'],
  ])('fails with a clear message for %s', async (_, details, code, why) => {
    const metadata = new grpc.Metadata();
    if (details !== '') metadata.set('grpc-status-details-bin', Buffer.from(details, 'hex'));
    onTrace = (_call, reply) => reply({ code: code as unknown as grpc.status, details: 'on purpose', metadata });
    await expect(engine.trace(input, undefined, context())).rejects.toMatchObject({
      kind: 'ENGINE_FAULT',
      message: `engine "tracer" failed: ${why}`,
    });
  });

  it('fails with a clear message for an empty text', () => {
    expect(fromStatus('tracer', { code: 99, message: '' }).message).toBe(
      'engine "tracer" failed: a status that gRPC does not have: it gave no reason',
    );
  });

  it('fails with ENGINE_LOST if the engine is lost', async () => {
    onTrace = () => server.forceShutdown();
    expect(await kindOf(engine.trace(input, undefined, context()))).toBe('ENGINE_LOST');
  });

  it('fails with a clear message if the engine cannot trace', async () => {
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
