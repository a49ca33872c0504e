// Attacks of a caller with a token or without one. None of them works.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { settingsSchema } from '../../services/config/schema.ts';
import {
  GRPCInferenceServiceClient,
  ModelInferRequest,
  type ModelStreamInferResponse,
} from '../../services/generated/inference/grpc_service.ts';
import { EngineAdminServiceClient } from '../../services/generated/tandem/v1/engines.ts';
import { promised } from '../support/promised.ts';
import { run } from '../support/process.ts';
import { refusalOf } from '../support/refusal.ts';
import { type System, startSystem } from '../support/system.ts';

const ROW = Buffer.alloc(3_072);
const PER_S = 40;
const NAMES = ['unary', 'stream', 'http', 'reader', 'operator'];
const rolesOf = (name: string): string[] => (name === 'operator' ? ['operate'] : ['reason']);
const tokens = NAMES.map((name) => ({
  ...{ name, roles: rolesOf(name) },
  sha256: createHash('sha256').update(`token-${name}`).digest('hex'),
}));

let system: System;
let httpPort: number;

beforeAll(async () => {
  system = await startSystem({
    ...{ auth: { tokens }, callers: { per_s: PER_S }, spawn: { count: 0 } },
    bridge: { listen: '127.0.0.1:0' },
  });
  httpPort = Number(/:(\d+)$/.exec(system.httpAddress)![1]);
});

afterAll(() => system.stop());

function metadata(authorization: string): grpc.Metadata {
  const found = new grpc.Metadata();
  found.set('authorization', authorization);
  return found;
}

interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

function http(method: string, path: string, headers: Record<string, string>, body = ''): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: '127.0.0.1', port: httpPort, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += String(chunk)));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

describe('a limit of items', () => {
  const client = (): GRPCInferenceServiceClient =>
    new GRPCInferenceServiceClient(system.address, grpc.credentials.createInsecure());
  const rows = (count: number): ModelInferRequest =>
    ModelInferRequest.fromPartial({
      modelName: 'supersense',
      inputs: [{ name: 'input', datatype: 'FP32', shape: [BigInt(count), 768n] }],
      rawInputContents: [Buffer.concat(Array.from({ length: count }, () => ROW))],
    });

  it('holds for the rows of ModelInfer', async () => {
    const oip = client();
    const infer = (): Promise<unknown> =>
      promised((done) => oip.modelInfer(rows(PER_S), metadata('Bearer token-unary'), done));
    await infer();
    const refusal = await refusalOf(infer());
    oip.close();
    expect(refusal).toMatchObject({ reason: 'CALLER_LIMIT', metadata: { limit: 'callers.per_s' } });
  });

  it('holds for each message of ModelStreamInfer', async () => {
    const oip = client();
    const stream = oip.modelStreamInfer(metadata('Bearer token-stream'));
    stream.on('error', () => undefined);
    const errors: string[] = [];
    for (let each = 0; each < 3; each += 1) stream.write(rows(PER_S - 1));
    for await (const { errorMessage } of stream as AsyncIterable<ModelStreamInferResponse>) {
      errors.push(errorMessage.split(':')[0]!);
      if (errors.length === 3) break;
    }
    oip.close();
    expect(errors.sort()).toEqual(['', 'CALLER_LIMIT', 'CALLER_LIMIT']);
  });

  it('holds for the rows of /v2 over HTTP', async () => {
    const data = Array.from({ length: PER_S * 768 }, () => 0);
    const body = JSON.stringify({ inputs: [{ name: 'input', datatype: 'FP32', shape: [PER_S, 768], data }] });
    const headers = { 'Content-Type': 'application/json', Authorization: 'Bearer token-http' };
    const infer = (): Promise<HttpAnswer> => http('POST', '/v2/models/supersense/infer', headers, body);
    expect((await infer()).status).toBe(200);
    const { status, body: why } = await infer();
    expect([status, why]).toEqual([429, expect.stringContaining('CALLER_LIMIT')]);
  });
});

describe('a token', () => {
  it.each([
    '/metrics?token=token-operator',
    '/metrics?access_token=token-operator',
    '/metrics?authorization=Bearer%20token-operator',
  ])('in a URL such as %s opens nothing', async (path) => {
    expect((await http('GET', path, {})).status).toBe(401);
  });

  it('in a cookie opens nothing', async () => {
    expect(
      (await http('GET', '/metrics', { Cookie: 'token=token-operator; authorization=Bearer token-operator' })).status,
    ).toBe(401);
  });

  it.each([
    ['of 7,000 characters', `Bearer ${'a'.repeat(7_000)}`],
    ['with 7,000 blanks before it', `Bearer ${' '.repeat(7_000)}x y`],
    ['and a second one', 'Bearer token-reader, Bearer token-operator'],
    ['in another scheme', 'Basic dG9rZW4tcmVhZGVy'],
    ['without its end', 'Bearer token-operato'],
  ])('%s is refused', async (_what, authorization) => {
    const admin = new EngineAdminServiceClient(system.address, grpc.credentials.createInsecure());
    const refusal = await refusalOf(promised((done) => admin.listEngines({}, metadata(authorization), done)));
    admin.close();
    expect(refusal).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'BAD_CREDENTIALS' });
  });
});

describe('a path of HTTP/2', () => {
  const RESET = '/tandem.v1.MetricsService/ResetMetrics';

  it.each([
    `${RESET}?`,
    `${RESET}/`,
    `/${RESET}`,
    `${RESET};a=b`,
    `${RESET}#/tandem.v1.ReasoningService/Ping`,
    '/tandem.v1.ReasoningService/Ping/../../tandem.v1.MetricsService/ResetMetrics',
    '/tandem.v1.MetricsService/%52esetMetrics',
    '/TANDEM.V1.MetricsService/ResetMetrics',
    '/__proto__/constructor',
  ])('such as %s reaches no method', async (path) => {
    const session = connectHttp2(`http://${system.address}`);
    const stream = session.request({
      ...{ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' },
      authorization: 'Bearer token-reader',
    });
    stream.end(Buffer.alloc(5));
    const [headers] = (await once(stream, 'response')) as [Record<string, string>];
    session.destroy();
    expect(headers['grpc-status']).toBe(String(grpc.status.UNIMPLEMENTED));
  });
});

describe('a page of another site', () => {
  it.each([
    ['its origin', { Origin: 'http://evil.example' }],
    ['its browser’s word', { 'Sec-Fetch-Site': 'cross-site' }],
  ])('cannot call a model over /v2 with %s', async (_what, headers) => {
    const sent = { ...headers, 'Content-Type': 'text/plain', Authorization: 'Bearer token-reader' };
    expect((await http('POST', '/v2/models/supersense/infer', sent, '{}')).status).toBe(403);
  });
});

it.each([
  '/docs/../package.json',
  '/docs/%2e%2e/package.json',
  '/docs/pictures/../../package.json',
  '/docs//etc/passwd',
])('the path %s of a page does not leave the folder', async (path) => {
  const basic = Buffer.from('x:token-operator').toString('base64');
  expect((await http('GET', path, { Authorization: `Basic ${basic}` })).status).toBe(404);
});

it.each(['../../../etc', '/etc/passwd', 'supersense/../../x', 'x\0y', '\u202esupersense'])(
  'RepositoryModelLoad of %j opens no file',
  async (modelName) => {
    const oip = new GRPCInferenceServiceClient(system.address, grpc.credentials.createInsecure());
    const request = { repositoryName: '', modelName, parameters: {} };
    const refusal = await refusalOf(
      promised((done) => oip.repositoryModelLoad(request, metadata('Bearer token-operator'), done)),
    );
    oip.close();
    expect(refusal.reason).toMatch(/^(UNKNOWN_MODEL|INVALID_FIELD)$/);
  },
);

it('the bridge stops reading endless empty lines', async () => {
  const socket = connect(Number(system.bridgeAddress.split(':')[1]), '127.0.0.1');
  socket.write(Buffer.alloc(1_000_000, '\n'));
  let answer = '';
  socket.on('data', (chunk) => (answer += String(chunk)));
  socket.on('error', () => undefined); // it is closed while we write
  await once(socket, 'close');
  expect(answer === '' || answer.includes('empty lines')).toBe(true);
});

it.each(['opera\u0442or', 'operator\u202e', 'a b', 'a\nb', '../x', ''])('a caller cannot have the name %j', (name) => {
  const settings = { auth: { tokens: [{ ...tokens[0]!, name }] } };
  expect(settingsSchema.safeParse(settings).success).toBe(false);
});

it('a document’s hostile name does not move the cursor in the command line', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-corpus-'));
  writeFileSync(join(folder, 'x\x1b[2J\u202e\n.jsonl'), 'no JSON');
  const { finished } = run('services/cli/main.ts', [
    'corpus',
    'add',
    'notes',
    folder,
    '--dir',
    join(folder, 'corpora'),
  ]);
  const { code, stderr } = await finished;
  rmSync(folder, { recursive: true });
  expect(code).not.toBe(0);
  expect(stderr).toContain('is not JSON');
  expect(stderr.trimEnd()).not.toMatch(/\p{C}/u);
});
