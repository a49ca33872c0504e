// Attacks on a router with TLS, client certificates and tokens, with a token and without one. None works.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AgentServiceClient } from '../../services/generated/tandem/v1/agents.ts';
import { EventServiceClient } from '../../services/generated/tandem/v1/events.ts';
import { ReasonRequest, ReasoningServiceClient } from '../../services/generated/tandem/v1/reasoning.ts';
import { GrpcClient } from '../../services/grpc/client.ts';
import { Metadata } from '../../services/grpc/metadata.ts';
import { DevelopmentCa } from '../support/certificates.ts';
import { promised } from '../support/promised.ts';
import { refusalOf } from '../support/refusal.ts';
import { type System, startSystem } from '../support/system.ts';

const PING = '/tandem.v1.ReasoningService/Ping';
const ca = new DevelopmentCa();
const tokens = ['victim', 'other'].map((name) => ({
  ...{ name, roles: ['reason'] },
  sha256: createHash('sha256').update(`token-${name}`).digest('hex'),
}));
const tensor = { shape: [768], dtype: 'FP32', data: Buffer.alloc(3_072) };

let system: System;
const clients: grpc.Client[] = [];

beforeAll(async () => {
  system = await startSystem({
    ...{ tls: ca.tls, auth: { tokens }, reflection: true, spawn: { count: 0 } },
    ...{ bridge: { listen: '127.0.0.1:0' }, dashboard: { try_requests: true } },
  });
});

afterAll(async () => {
  for (const client of clients) client.close();
  await system.stop();
  ca.remove();
});

function client<Client extends grpc.Client>(
  type: new (address: string, credentials: grpc.ChannelCredentials) => Client,
): Client {
  const made = new type(system.address, ca.credentials('client'));
  clients.push(made);
  return made;
}

function metadata(authorization: string): grpc.Metadata {
  const found = new grpc.Metadata();
  found.set('authorization', authorization);
  return found;
}

function session(): ClientHttp2Session {
  const files = { ca: ca.read('ca.pem'), cert: ca.read('client.pem'), key: ca.read('client.key') };
  return connectHttp2(`https://localhost:${system.address.split(':')[1]}`, files);
}

/** Sends that many calls at once; resolves with their statuses when all are answered. */
async function flood(path: string, count: number, headers: Record<string, string>): Promise<string[]> {
  const over = session();
  const statuses = await Promise.all(
    Array.from({ length: count }, async () => {
      const stream = over.request({
        ...{ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' },
        ...headers,
      });
      stream.end(Buffer.alloc(5));
      stream.resume();
      const [answer] = (await once(stream, 'response')) as [Record<string, string>];
      return answer['grpc-status'] ?? 'a message';
    }),
  );
  over.destroy();
  return [...new Set(statuses)];
}

async function pingAs(name: string): Promise<string> {
  const reasoning = client(ReasoningServiceClient);
  const { message } = await promised<{ message: string }>((done) =>
    reasoning.ping({}, metadata(`Bearer token-${name}`), done),
  );
  return message;
}

describe('a flood that no limit of a caller covers', () => {
  // A quarter of them at once, the others one per millisecond. A connection has at most a thousand streams.
  it.each([
    ['wrong tokens', PING, { authorization: 'Bearer guess' }, String(grpc.status.UNAUTHENTICATED)],
    ['unknown methods', '/tandem.v1.ReasoningService/Guess', {}, String(grpc.status.UNIMPLEMENTED)],
    ['health checks without a token', '/grpc.health.v1.Health/Check', {}, 'a message'],
  ])('of %s is read slowly, and other callers are answered', async (_what, path, headers, status) => {
    const beganMs = performance.now();
    const flooding = flood(path, 900, headers);
    expect(await pingAs('victim')).toBe('pong');
    expect(await flooding).toEqual([status]);
    expect(performance.now() - beganMs).toBeGreaterThan(500);
  });
});

describe('a second token', () => {
  it.each([
    ['before', ['Bearer guess', 'Bearer token-victim']],
    ['after', ['Bearer token-victim', 'Bearer guess']],
    ['equal to', ['Bearer token-victim', 'Bearer token-victim']],
  ])('%s the valid one is refused', async (_where, both) => {
    const files = { ca: ca.read('ca.pem'), cert: ca.read('client.pem'), key: ca.read('client.key') };
    const own = await GrpcClient.connect(system.address, { tls: { ...files, servername: 'localhost' } });
    const asIs = (bytes: Uint8Array): Buffer => Buffer.from(bytes);
    const twice = new Metadata(both.flatMap((each) => ['authorization', each]));
    const answer = own.unary({ path: PING, encode: asIs, decode: asIs }, Buffer.alloc(0), { metadata: twice });
    const error = await answer.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    own.close();
    expect(error).toMatchObject({ code: grpc.status.UNAUTHENTICATED });
  });
});

describe('another caller’s session', () => {
  it('is not found under its name: for another caller the name is another session', async () => {
    const reasoning = client(ReasoningServiceClient);
    const ask = (name: string, expectedStep?: number): Promise<unknown> =>
      promised((done) => {
        const request = ReasonRequest.fromPartial({ tensor, session: { id: 'robot', expectedStep } });
        reasoning.reason(request, metadata(`Bearer token-${name}`), done);
      });
    await ask('victim');
    expect(await refusalOf(ask('other', 16))).toMatchObject({ reason: 'SESSION_UNKNOWN' });
  });
});

describe('words with a special meaning', () => {
  it.each(['../models', '/etc', '..', 'x/../../y', 'x\0y'])('Query of corpus %j reads no file', async (corpus) => {
    const agents = client(AgentServiceClient);
    const request = { query: 'x', corpus, topK: 1, label: '' };
    const refusal = await refusalOf(
      promised((done) => agents.query(request as never, metadata('Bearer token-other'), done)),
    );
    expect(refusal.reason).toMatch(/^(UNKNOWN_CORPUS|INVALID_FIELD)$/);
  });

  it.each(['security', 'config', 'alert', 'user.', 'user.a/../security', 'SECURITY'])(
    'an event cannot be published to topic %j',
    async (topic) => {
      const events = client(EventServiceClient);
      const request = { topic, severity: 0, text: 'all is well', data: {}, payload: Buffer.alloc(0) };
      const refusal = await refusalOf(
        promised((done) => events.publish(request as never, metadata('Bearer token-other'), done)),
      );
      expect(refusal).toMatchObject({ reason: 'INVALID_FIELD' });
    },
  );
});

describe('JSON that is nested one hundred thousand deep', () => {
  const nested = '['.repeat(100_000) + ']'.repeat(100_000);
  const infer = `{"inputs": [{"name": "input", "datatype": "FP32", "shape": [1, 768], "data": ${nested}}]}`;

  it.each([
    ['/v2/models/supersense/infer', infer],
    ['/v2/models/supersense/infer', nested],
    ['/api/reason', `{"encoding": ${nested}}`],
    ['/api/reason', nested],
  ])('is refused at %s with its reason', async (path, body) => {
    const headers = { 'Content-Type': 'application/json', Authorization: 'Bearer token-other' };
    expect(await send(path, headers, body)).toBe(400);
  });

  it('is refused by the bridge with its reason', async () => {
    const socket = connectTcp(Number(system.bridgeAddress.split(':')[1]), '127.0.0.1');
    socket.write(`{"type": "process", "token": "token-other", "encoding": ${nested}}\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(String(answer)).toMatch(/error/);
    expect(String(answer)).not.toMatch(/INTERNAL/);
  });

  async function send(path: string, headers: Record<string, string>, body: string): Promise<number> {
    const { status, body: answer } = await fetch(`http://${system.httpAddress}${path}`, {
      method: 'POST',
      headers,
      body,
    });
    await answer?.cancel();
    return status;
  }
});
