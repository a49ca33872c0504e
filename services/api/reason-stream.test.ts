import { Duplex } from 'node:stream';
import * as grpc from '@grpc/grpc-js';
import { describe, expect, it } from '@jest/globals';
import { fakeTracing } from '../../test/fakes/fake-parts.ts';
import { RouterError } from '../core/errors.ts';
import { ReasonRequest } from '../generated/tandem/v1/reasoning.ts';
import type { Router } from '../routing/router.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { OpenCalls } from './open-calls.ts';
import { reasonStream } from './reason-stream.ts';

const MIB = 1_048_576;

/** A call in memory; what is pushed into it are its requests. */
function fakeCall(): Duplex {
  const call = new Duplex({ objectMode: true, read: () => undefined, write: (_answer, _encoding, done) => done() });
  const about = { metadata: new grpc.Metadata(), getDeadline: () => Infinity, getPath: () => '/ReasonStream' };
  return Object.assign(call, about);
}

describe('a stream of large requests', () => {
  it('is read no further while those under way hold 16 MiB', async () => {
    const asked: ((error: RouterError) => void)[] = [];
    const router = { reason: () => new Promise((_resolve, reject) => asked.push(reject)) } as unknown as Router;
    const call = fakeCall();
    const handler = reasonStream(router, {
      ...{ windowSize: 128, timeoutMs: 60_000, observer: new Metrics(), tracing: fakeTracing() },
      ...{ calls: new OpenCalls(), drained: new AbortController().signal, onInternalError: () => undefined },
    });
    handler(call as unknown as Parameters<typeof handler>[0]);
    const tensor = { shape: [MIB / 4], dtype: 'FP32', data: Buffer.alloc(MIB) };
    const request = Buffer.from(ReasonRequest.encode(ReasonRequest.fromPartial({ tensor })).finish());
    for (let k = 0; k < 40; k += 1) call.push({ request });
    await new Promise(setImmediate);
    expect([asked.length, call.isPaused()]).toEqual([16, true]);

    asked[0]!(new RouterError('NO_ENGINE', 'none'));
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect([asked.length, call.isPaused()]).toEqual([17, true]);
  });
});
