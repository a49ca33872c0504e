// The REST form of the Open Inference Protocol, with lists and with bytes after the JSON, as Triton's client sends
// them.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readHeldout } from '../support/heldout.ts';
import { type System, startSystem } from '../support/system.ts';

const { data } = readHeldout()[0]!;
const numbers = Array.from({ length: 768 }, (_, index) => data.readFloatLE(index * 4));
const INFER = '/v2/models/supersense/infer';
let system: System;

beforeAll(async () => {
  system = await startSystem({ spawn: { count: 1 } });
});

afterAll(() => system.stop());

interface Answer {
  readonly status: number;
  readonly json: unknown;
}

async function call(
  path: string,
  body?: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Response> {
  const url = `http://${system.httpAddress}${path}`;
  return await fetch(url, body === undefined ? {} : { method: 'POST', body, headers });
}

async function read(path: string, body?: string, headers?: Record<string, string>): Promise<Answer> {
  const response = await call(path, body, headers);
  return { status: response.status, json: JSON.parse(await response.text()) as unknown };
}

const input = (over: object = {}): object => ({
  name: 'input',
  datatype: 'FP32',
  shape: [768],
  data: numbers,
  ...over,
});
const inferBody = (over: object = {}): string => JSON.stringify({ id: 'an id', inputs: [input()], ...over });

describe('infer', () => {
  it('gives the same answer as Reason', async () => {
    const reasoned = await system.reason({ tensor: { shape: [768], dtype: 'FP32', data } });
    const response = await call(INFER, inferBody());
    const text = await response.text();
    expect(response.status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ id: 'an id', model_name: 'supersense', model_version: '1' });
    expect(text).toContain(`"name":"state_digest","datatype":"UINT64","shape":[1],"data":[${reasoned.stateDigest}]`);
    expect(text).toContain(`"data":["${reasoned.label}"]`);
  });

  it('accepts nested lists, and answers a batch', async () => {
    const body = inferBody({ inputs: [input({ shape: [2, 768], data: [numbers, numbers] })] });
    const first = { name: 'scores', shape: [2, 45] };
    expect(await read(INFER, body)).toMatchObject({
      json: { outputs: expect.arrayContaining([expect.objectContaining(first)]) },
    });
  });

  it('accepts and returns bytes after the JSON', async () => {
    const binary = { shape: [768], data: undefined, parameters: { binary_data_size: data.length } };
    const header = JSON.stringify({
      inputs: [input(binary)],
      outputs: [{ name: 'scores', parameters: { binary_data: true } }],
    });
    const response = await call(INFER, Buffer.concat([Buffer.from(header), data]), {
      'Inference-Header-Content-Length': String(header.length),
    });
    const body = Buffer.from(await response.arrayBuffer());
    const headerBytes = Number(response.headers.get('Inference-Header-Content-Length'));
    const scores = body.subarray(headerBytes);
    const reasoned = await system.reason({ tensor: { shape: [768], dtype: 'FP32', data } });
    expect(reasoned.scores.map((_, index) => scores.readFloatLE(index * 4))).toEqual(reasoned.scores);
  });

  it.each([
    ['no JSON', 'nonsense', 400, 'body'],
    ['no inputs', '{}', 400, 'inputs'],
    ['a text among the numbers', inferBody({ inputs: [input({ data: [1, 'x'] })] }), 400, 'inputs[0].data[1]'],
    [
      'missing bytes',
      inferBody({ inputs: [input({ parameters: { binary_data_size: 4 } })] }),
      400,
      'inputs[0].parameters.binary_data_size',
    ],
    ['too few numbers', inferBody({ inputs: [input({ shape: [3], data: [1, 2, 3] })] }), 400, 'tensor.shape'],
  ])('refuses %s, and names the field', async (_, body, status, field) => {
    expect(await read(INFER, body)).toMatchObject({ status, json: { field } });
  });

  it('refuses an unknown model', async () => {
    expect(await read('/v2/models/none/infer', inferBody())).toMatchObject({
      status: 404,
      json: { reason: 'UNKNOWN_MODEL' },
    });
  });

  it('refuses a page of another site', async () => {
    const answer = await read(INFER, inferBody(), { Origin: 'http://elsewhere.example' });
    expect(answer).toMatchObject({ status: 403, json: { reason: 'WRONG_ORIGIN' } });
  });
});

describe('the server’s description', () => {
  it.each([
    ['/v2', { name: 'tandem' }],
    ['/v2/health/live', { live: true }],
    ['/v2/health/ready', { ready: true }],
    ['/v2/models/supersense', { platform: 'nir', inputs: [{ datatype: 'FP32', shape: [-1, 768] }] }],
    ['/v2/models/supersense/versions/1', { versions: ['1'] }],
    ['/v2/models/supersense/ready', { ready: true }],
    ['/v2/models/supersense/config', { input: [{ data_type: 'TYPE_FP32', dims: [768] }] }],
    ['/v2/models/supersense/stats', { model_stats: [{ name: 'supersense' }] }],
    ['/v2/models/stats', { model_stats: expect.arrayContaining([expect.objectContaining({ name: 'supersense' })]) }],
  ])('answers %s', async (path, wanted) => {
    expect(await read(path)).toMatchObject({ status: 200, json: wanted });
  });

  it.each(['/v2/nothing', '/v2/models/supersense/nothing', '/v2/models/none'])('has nothing at %s', async (path) => {
    expect(await read(path)).toMatchObject({ status: 404 });
  });
});
