// Setting `callers`: the flood of one caller is refused to it alone, on both edges.
import { createHash } from 'node:crypto';
import * as grpc from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  ReasonBatchRequest,
  ReasonRequest,
  type ReasonStreamResponse,
  ReasoningServiceClient,
} from '../../services/generated/tandem/v1/reasoning.ts';
import { type Refusal, readRefusal } from '../support/refusal.ts';
import { EDGES } from '../support/serve.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

const sha256 = (token: string): string => createHash('sha256').update(token).digest('hex');
const auth = {
  tokens: ['flood', 'other'].map((name) => ({ name, sha256: sha256(`token-${name}`), roles: ['reason', 'observe'] })),
};
const tensor = { shape: [768], dtype: 'FP32', data: Buffer.alloc(3_072) };

describe.each(EDGES)('limits of a caller on edge %s', (edge) => {
  let system: System;
  let client: ReasoningServiceClient;

  async function start(callers: Record<string, number>): Promise<void> {
    system = await startSystem({ edge, auth, callers, spawn: { count: 0 } });
    client = new ReasoningServiceClient(system.address, grpc.credentials.createInsecure());
  }

  afterEach(async () => {
    client.close();
    await system.stop();
  });

  function metadata(name: string): grpc.Metadata {
    const found = new grpc.Metadata();
    found.set('authorization', `Bearer token-${name}`);
    return found;
  }

  function ping(name: string): Promise<Refusal | undefined> {
    return new Promise((resolve) => {
      client.ping({}, metadata(name), (error) => resolve(error ? readRefusal(error) : undefined));
    });
  }

  function batch(name: string, requests: ReasonRequest[]): Promise<Refusal | undefined> {
    return new Promise((resolve) => {
      const request = ReasonBatchRequest.fromPartial({ requests });
      client.reasonBatch(request, metadata(name), (error) => resolve(error ? readRefusal(error) : undefined));
    });
  }

  const empty = (count: number): ReasonRequest[] => Array.from({ length: count }, () => ReasonRequest.fromPartial({}));
  const limited = { code: 'RESOURCE_EXHAUSTED', reason: 'CALLER_LIMIT' };

  it('calls: a limited number a second, with the time to retry', async () => {
    await start({ per_s: 20 });
    const refusals = (await Promise.all(Array.from({ length: 60 }, () => ping('flood')))).filter((each) => each);
    expect(refusals.length).toBeGreaterThanOrEqual(30);
    expect(refusals[0]).toMatchObject({ ...limited, metadata: { caller: 'flood', limit: 'callers.per_s' } });
    expect(refusals[0]!.retryAfterMs).toBeGreaterThan(0);
    expect(await ping('other')).toBeUndefined();
    const { body } = await system.prometheus.exposition('text/plain');
    expect(body).toMatch(/^tandem_caller_refused_total\{caller="flood"\} [3-9]\d$/m);
    expect(body).toMatch(/^tandem_caller_calls_total\{caller="other"\} 1$/m);
  });

  // grpc-js reads as fast as it can.
  (edge === 'native' ? it : it.skip)('calls that are refused repeatedly are read more slowly', async () => {
    await start({ per_s: 10 });
    const beganMs = performance.now();
    const refusals = await Promise.all(Array.from({ length: 600 }, () => ping('flood')));
    expect(refusals.filter((each) => each).length).toBeGreaterThan(500);
    // 250 of them at once, the others one per millisecond.
    expect(performance.now() - beganMs).toBeGreaterThan(250);
    expect(await ping('other')).toBeUndefined();
  });

  it('items: each item of a batch counts', async () => {
    await start({ per_s: 100 });
    expect(await batch('flood', empty(90))).toBeUndefined();
    expect(await batch('flood', empty(90))).toMatchObject(limited);
    expect(await batch('other', empty(90))).toBeUndefined();
  });

  it('streams: a limited number open at once', async () => {
    await start({ max_calls: 3 });
    const streams = Array.from({ length: 5 }, () => client.reasonStream(metadata('flood')));
    const refused: Refusal[] = [];
    for (const stream of streams) stream.on('error', (error: grpc.ServiceError) => refused.push(readRefusal(error)));
    await until(() => refused.length === 2, { what: 'two refusals' });
    expect(refused[0]).toMatchObject({ ...limited, metadata: { limit: 'callers.max_calls' } });
    expect(await ping('other')).toBeUndefined();
    expect(await ping('flood')).toMatchObject(limited);
    for (const stream of streams) stream.cancel();
    await until(async () => (await ping('flood')) === undefined, { what: 'room again' });
  });

  it('bytes: a limited number in requests that arrive or are open', async () => {
    await start({ max_bytes: 100_000 });
    const large = Array.from({ length: 60 }, () => ReasonRequest.fromPartial({ tensor }));
    expect(await batch('flood', large)).toMatchObject({ ...limited, metadata: { limit: 'callers.max_bytes' } });
    expect(await batch('flood', large.slice(0, 10))).toBeUndefined();
  });

  it('items of a stream: if they come too fast they wait, and none is refused', async () => {
    await start({ per_s: 100 });
    const beganMs = performance.now();
    const stream = client.reasonStream(metadata('flood'));
    const reasons: string[] = [];
    stream.on('data', ({ outcome }: ReasonStreamResponse) => {
      reasons.push(outcome?.$case === 'error' ? outcome.value.reason : 'OK');
    });
    stream.on('error', () => undefined);
    for (let at = 0; at < 150; at += 1)
      stream.write({ request: ReasonRequest.fromPartial({ requestId: `${at}`, tensor }) });
    await until(() => reasons.length === 150, { what: 'all answers' });
    expect(new Set(reasons)).toEqual(new Set(['OK']));
    // The bucket has a hundred tokens, and the call itself has used one.
    expect(performance.now() - beganMs).toBeGreaterThan(500);
    expect(await ping('other')).toBeUndefined();
    stream.cancel();
  });
});
