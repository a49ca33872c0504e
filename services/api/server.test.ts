import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import { bareApi } from '../../test/fakes/bare-api.ts';
import { type Refusal, refusalOf } from '../../test/support/refusal.ts';
import { promised } from '../../test/support/promised.ts';
import { StreamCaller } from '../../test/support/stream-caller.ts';
import { until } from '../../test/support/until.ts';
import { CallerAccount, NO_LIMITS } from '../auth/caller-account.ts';
import { RouterError } from '../core/errors.ts';
import { ReasonRequest, ReasoningServiceClient } from '../generated/tandem/v1/reasoning.ts';
import type { Authorizer } from './authorizer.ts';
import type { ApiServer } from './server.ts';

const refused = new RouterError('BAD_CREDENTIALS', 'the token was revoked');

const stranger = new CallerAccount('stranger', NO_LIMITS, { calls: 0, refused: 0 });

let api: ApiServer;
let client: ReasoningServiceClient;
let error: RouterError | undefined;
let account: CallerAccount | undefined;
let reported: [path: string, error: RouterError][];
let isReady: boolean;

beforeEach(async () => {
  [error, account, reported, isReady] = [undefined, undefined, [], false];
  const authorizer = { check: () => error, accountOf: () => account, strangerAt: () => stranger };
  api = bareApi({
    ...{ authorizer: authorizer as unknown as Authorizer, isReady: () => isReady, adminListen: () => 'off' },
    onCallRefused: (path, refusal) => void reported.push([path, refusal]),
  });
  client = new ReasoningServiceClient(await api.start(), grpc.credentials.createInsecure());
});

afterEach(async () => {
  client.close();
  await api.stop(100);
});

const ping = (): Promise<Refusal> => refusalOf(promised((done) => client.ping({}, done)));

describe('a call', () => {
  it('is answered if its caller may make it', async () => {
    expect((await ping()).code).toBe('OK');
    expect(reported).toEqual([]);
  });

  it('is refused and reported if its caller may not make it', async () => {
    error = refused;
    expect(await ping()).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'BAD_CREDENTIALS' });
    expect(reported).toEqual([['/tandem.v1.ReasoningService/Ping', refused]]);
  });

  it('is refused and reported if its caller has too many', async () => {
    account = new CallerAccount('ann', { ...NO_LIMITS, maxCalls: 1 }, { calls: 0, refused: 0 });
    account.begin();
    expect((await ping()).reason).toBe('CALLER_LIMIT');
    expect(reported).toMatchObject([['/tandem.v1.ReasoningService/Ping', { kind: 'CALLER_LIMIT' }]]);
    account.ended();
    expect((await ping()).code).toBe('OK');
  });
});

it('configure applies to the next calls', async () => {
  const batch = (): Promise<Refusal> => {
    const requests = Array.from({ length: 2 }, () => ReasonRequest.fromPartial({ requestId: 'x'.repeat(200) }));
    return refusalOf(promised((done) => client.reasonBatch({ requests }, done)));
  };
  expect((await batch()).message).toMatch('more than 1 requests');
  api.configure({ maxBatchItems: 3, maxInFlight: 100, windowSize: 10, timeoutMs: 1_000 });
  expect((await batch()).message).not.toMatch('more than');
});

it('callersChanged ends the open streams of callers that are refused now', async () => {
  const stream = new StreamCaller(client);
  stream.send(new Uint8Array([255]));
  await until(() => stream.answers.length === 1, { what: 'the answer' });
  api.callersChanged();
  stream.send(new Uint8Array([255]));
  await until(() => stream.answers.length === 2, { what: 'the next answer' });
  error = refused;
  api.callersChanged();
  expect(await stream.ended).toMatchObject({ code: grpc.status.UNAUTHENTICATED, details: 'the token was revoked' });
});

it('refreshHealth reports whether the router is ready', async () => {
  const asIs = (bytes: Buffer): Buffer => bytes;
  const check = (): Promise<Buffer> =>
    promised((done) =>
      client.makeUnaryRequest('/grpc.health.v1.Health/Check', asIs, asIs, Buffer.alloc(0), done as never),
    );
  const [serving, notServing] = [Buffer.from([8, 1]), Buffer.from([8, 2])];
  const seen: Buffer[] = [];
  for (const ready of [false, true, true, false]) {
    isReady = ready;
    api.refreshHealth();
    seen.push(await check());
  }
  expect(seen).toEqual([notServing, serving, serving, notServing]);
});

describe('stop', () => {
  it('refuses new calls, and may be called again', async () => {
    expect((await ping()).code).toBe('OK');
    await api.stop(1_000);
    await api.stop(1_000);
    expect((await ping()).code).toBe('UNAVAILABLE');
  });

  it('ends open streams after the answers that they wait for', async () => {
    const stream = new StreamCaller(client);
    stream.send(new Uint8Array([255]));
    await until(() => stream.answers.length === 1, { what: 'the answer' });
    await api.stop(60_000);
    expect(await stream.ended).toMatchObject({ code: grpc.status.UNAVAILABLE });
  });
});
