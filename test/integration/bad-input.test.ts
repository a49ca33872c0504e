import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ReasonRequest } from '../../services/generated/tandem/v1/reasoning.ts';
import { readHeldout } from '../support/heldout.ts';
import { refusalOf } from '../support/refusal.ts';
import { type System, startSystem } from '../support/system.ts';

const SHIPPED = join(import.meta.dirname, '../../deploy/models/supersense');
const data = readHeldout()[0]?.data ?? Buffer.alloc(0);
const good: Partial<ReasonRequest> = { tensor: { shape: [768], dtype: 'FP32', data } };
const numbers = Array.from({ length: 768 }, (_, k) => data.readFloatLE(k * 4));

/** The shipped model, and two with a damaged file. */
function damagedRepository(): string {
  const dir = mkdtempSync(join(tmpdir(), 'tandem-models-'));
  cpSync(SHIPPED, join(dir, 'supersense'), { recursive: true });
  const nir = readFileSync(join(SHIPPED, '1/model.nir'));
  const random = Buffer.from(Array.from({ length: 4_096 }, (_, k) => (k * 2_654_435_761) >>> 24));
  for (const [name, bytes] of [
    ['truncated', nir.subarray(0, nir.length >> 1)],
    ['random-bytes', random],
  ] as const) {
    mkdirSync(join(dir, name, '1'), { recursive: true });
    writeFileSync(
      join(dir, name, 'model.yaml'),
      readFileSync(join(SHIPPED, 'model.yaml'), 'utf8').replace('supersense', name),
    );
    cpSync(join(SHIPPED, 'labels.txt'), join(dir, name, 'labels.txt'));
    writeFileSync(join(dir, name, '1/model.nir'), bytes);
  }
  return dir;
}

let system: System;

beforeAll(async () => {
  system = await startSystem({ models_dir: damagedRepository() });
});

afterAll(async () => {
  await system.stop();
});

function withElement(index: number, value: number): Partial<ReasonRequest> {
  return { encoding: numbers.with(index, value) };
}

describe('bad input is refused by code, reason and field, and the next request is served', () => {
  it.each<[string, Partial<ReasonRequest>, string, string, string]>([
    ['767 numbers', { encoding: numbers.slice(1) }, 'INVALID_ARGUMENT', 'INPUT_LENGTH', 'encoding'],
    ['NaN', withElement(17, NaN), 'INVALID_ARGUMENT', 'INPUT_NOT_FINITE', 'encoding[17]'],
    ['infinity', withElement(767, Infinity), 'INVALID_ARGUMENT', 'INPUT_NOT_FINITE', 'encoding[767]'],
    ['minus infinity', withElement(0, -Infinity), 'INVALID_ARGUMENT', 'INPUT_NOT_FINITE', 'encoding[0]'],
    ['nothing', {}, 'INVALID_ARGUMENT', 'INPUT_MISSING', 'encoding'],
    [
      'an empty tensor',
      { tensor: { shape: [], dtype: '', data: Buffer.alloc(0) } },
      'INVALID_ARGUMENT',
      'INPUT_MISSING',
      'tensor.data',
    ],
    [
      'an unknown dtype',
      { tensor: { shape: [768], dtype: 'FP64', data } },
      'INVALID_ARGUMENT',
      'INPUT_DTYPE',
      'tensor.dtype',
    ],
    ['both inputs', { encoding: numbers, ...good }, 'INVALID_ARGUMENT', 'INVALID_FIELD', 'tensor'],
    [
      'a time series',
      { tensor: { shape: [1, 768], dtype: '', data } },
      'INVALID_ARGUMENT',
      'INPUT_KIND',
      'tensor.shape',
    ],
    ['an unknown model', { ...good, model: 'nobody' }, 'NOT_FOUND', 'UNKNOWN_MODEL', 'model'],
    ['an unknown version', { ...good, modelVersion: 99 }, 'NOT_FOUND', 'UNKNOWN_MODEL', 'model_version'],
    ['an unknown strategy', { ...good, strategy: 77 as never }, 'INVALID_ARGUMENT', 'INVALID_FIELD', 'strategy'],
    [
      'an endless request id',
      { ...good, requestId: 'x'.repeat(129) },
      'INVALID_ARGUMENT',
      'INVALID_FIELD',
      'request_id',
    ],
    ['a truncated .nir', { ...good, model: 'truncated' }, 'NOT_FOUND', 'MODEL_INVALID', 'model'],
    ['a .nir of random bytes', { ...good, model: 'random-bytes' }, 'NOT_FOUND', 'MODEL_INVALID', 'model'],
  ])('%s', async (_name, request, code, reason, field) => {
    const refusal = await refusalOf(system.reason(request));
    expect([refusal.code, refusal.reason, refusal.field]).toEqual([code, reason, field]);
    expect((await system.reason(good)).label).not.toBe('');
  });

  it('a message of 17 MB', async () => {
    const large = { tensor: { shape: [4_250_000], dtype: 'FP32', data: Buffer.alloc(17_000_000) } };
    expect((await refusalOf(system.reason(large))).code).toBe('RESOURCE_EXHAUSTED');
    expect((await system.reason(good)).label).not.toBe('');
  });

  it('bytes that are not a message', async () => {
    const client = new grpc.Client(system.address, grpc.credentials.createInsecure());
    const call = new Promise((resolve, reject) => {
      const send = (bytes: Buffer): Buffer => bytes;
      client.makeUnaryRequest(
        '/tandem.v1.ReasoningService/Reason',
        send,
        send,
        Buffer.from([0x22, 0xff, 0xff, 0x01, 0x00]),
        (error, value) => (error ? reject(error) : resolve(value)),
      );
    });
    const refusal = await refusalOf(call);
    client.close();
    expect([refusal.code, refusal.reason]).toEqual(['INVALID_ARGUMENT', 'INVALID_FIELD']);
  });

  it('shows no internals: messages say what to do, not where the code is', async () => {
    const { message } = await refusalOf(system.reason({ encoding: [1] }));
    expect(message).toBe('got 1 numbers; send 768 numbers');
  });
});
