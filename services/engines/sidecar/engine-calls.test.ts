import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FakeSidecar, answer } from '../../../test/fakes/fake-sidecar.ts';
import type { RouterError } from '../../core/errors.ts';
import { GrpcClient } from '../../grpc/client.ts';
import { connect } from './engine-calls.ts';
import { SidecarEngine } from './sidecar-engine.ts';

const input = { model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) };
const context = { deadlineMs: Infinity, signal: new AbortController().signal };
const WRONG_CHECKSUM = 'a message from engine "engine-1" had a wrong checksum: the link changes bits';
const [US, THEM] = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)];

let sidecar: FakeSidecar;
let engine: SidecarEngine;
let uncaught: unknown[];
const onUncaught = (error: unknown): void => void uncaught.push(error);

beforeEach(async () => {
  uncaught = [];
  process.on('unhandledRejection', onUncaught);
  sidecar = await new FakeSidecar().start();
  sidecar.description = { ...sidecar.description, checksums: true, instanceId: US };
  sidecar.sendsChecksums = true;
  sidecar.streamInstanceId = US;
  engine = new SidecarEngine('engine-1', sidecar.address);
});

afterEach(async () => {
  process.off('unhandledRejection', onUncaught);
  await engine.stop();
  sidecar.kill();
  expect(uncaught).toEqual([]);
});

function withChangedBit(bytes: Buffer, bit: number): Buffer {
  bytes[bit >> 3]! ^= 1 << (bit & 7);
  return bytes;
}

/** Returns the error of an inference. */
async function refusal(): Promise<RouterError> {
  return await engine.infer(input, context).then(
    () => Promise.reject(new Error('answered')),
    (error: unknown) => error as RouterError,
  );
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('checksums of messages', () => {
  it('let one request after the other succeed', async () => {
    await engine.start();
    for (let n = 0; n < 3; n += 1) expect((await engine.infer(input, context)).steps).toBe(16);
  });

  it('are announced to the engine', async () => {
    await engine.start();
    await engine.infer(input, context);
    expect(sidecar.metadata[0]?.get('tandem-checksums')).toEqual(['1']);
    expect(sidecar.received[0]?.checksum).not.toBe(0n);
  });

  it('are not required of an engine that does not support them', async () => {
    sidecar.description = { ...sidecar.description, checksums: false, instanceId: Buffer.alloc(0) };
    sidecar.sendsChecksums = false;
    sidecar.streamInstanceId = Buffer.alloc(0);
    await engine.start();
    expect((await engine.infer(input, context)).steps).toBe(16);
  });
});

describe('an answer with a wrong checksum', () => {
  it.each([
    ['has a changed bit in its middle', (bytes: Buffer) => withChangedBit(bytes, 30)],
    ['has a changed bit in the tag of its checksum', (bytes: Buffer) => withChangedBit(bytes, 8 * (bytes.length - 9))],
    ['has lost its checksum', (bytes: Buffer) => bytes.subarray(0, -9)],
    ['is empty', () => Buffer.alloc(0)],
  ])('closes the stream if it %s, and the engine reconnects', async (_, link) => {
    await engine.start();
    sidecar.link = link;
    const error = await refusal();
    expect(error).toMatchObject({ kind: 'ENGINE_LOST' });
    expect(error.message).toBe(
      `engine "engine-1" was lost: ${WRONG_CHECKSUM}; check the network between router and engine`,
    );
    expect([engine.description, engine.inFlight]).toEqual([undefined, 0]);
    sidecar.link = (bytes) => bytes;
    await until(() => engine.description !== undefined);
    expect((await engine.infer(input, context)).steps).toBe(16);
  });

  it('fails every job of the stream once', async () => {
    await engine.start();
    sidecar.onMessage = ({ items }, stream) => {
      for (const { id } of items) stream.write({ results: [answer(id)], checksum: 0n });
    };
    let sent = 0;
    sidecar.link = (bytes) => (++sent === 3 ? withChangedBit(bytes, 9) : bytes);
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => engine.infer(input, context)));
    expect(outcomes.map(({ status }) => status)).toEqual([
      ...Array<string>(2).fill('fulfilled'),
      ...Array<string>(8).fill('rejected'),
    ]);
  });

  it('is detected after a lost message', async () => {
    await engine.start();
    const messages: Buffer[] = [];
    sidecar.link = (bytes) => bytes;
    await engine.infer(input, context);
    sidecar.link = (bytes) => {
      messages.push(bytes);
      return messages.length === 1 ? bytes : messages[0]!; // drops the second answer and repeats the first
    };
    await engine.infer(input, context);
    expect((await refusal()).message).toContain(WRONG_CHECKSUM);
  });
});

describe('a description with a wrong checksum', () => {
  it.each([
    ['has a changed bit', (bytes: Buffer) => withChangedBit(bytes, 18)],
    ['has lost its checksum', (bytes: Buffer) => bytes.subarray(0, -9)],
  ])('keeps the engine down if it %s, until a valid one arrives', async (_, link) => {
    sidecar.link = link;
    await engine.start();
    expect(engine.description).toBeUndefined();
    expect(engine.downReason).toContain(WRONG_CHECKSUM);
    sidecar.link = (bytes) => bytes;
    await until(() => engine.description !== undefined);
    expect(engine.description?.instanceId).toBe(US.toString('hex'));
  });

  it('keeps the engine down even if the engine claims to send no checksums', async () => {
    sidecar.description = { ...sidecar.description, checksums: false };
    sidecar.link = (bytes) => withChangedBit(bytes, 18);
    await engine.start();
    expect(engine.downReason).toContain(WRONG_CHECKSUM);
  });

  it('keeps the engine down if it cannot be decoded', async () => {
    sidecar.link = () => Buffer.from('0aff', 'hex');
    await engine.start();
    expect([engine.description, engine.downReason === '']).toEqual([undefined, false]);
  });
});

describe('a stream to another process than the described one', () => {
  it('is closed with an error that names both', async () => {
    sidecar.streamInstanceId = THEM;
    await engine.start();
    const error = await refusal();
    expect(error.kind).toBe('ENGINE_LOST');
    expect(error.message).toContain(
      `is process ${US.toString('hex')}, but its stream led to process ${THEM.toString('hex')}`,
    );
  });
});

describe('a message larger than any answer', () => {
  const TWO_BYTES_EACH = Buffer.alloc(4_000_000, Buffer.of(0x0a, 0)); // empty results

  beforeEach(() => {
    sidecar.description = { ...sidecar.description, checksums: false };
    sidecar.sendsChecksums = false;
  });

  it('closes the stream before it is decoded, and the engine reconnects', async () => {
    await engine.start();
    sidecar.link = () => TWO_BYTES_EACH;
    const error = await refusal();
    expect([error.kind, error.message]).toEqual([
      'ENGINE_LOST',
      'engine "engine-1" was lost: a message from engine "engine-1" is refused unread: more than 18 results',
    ]);
    sidecar.link = (bytes) => bytes;
    await until(() => engine.description !== undefined);
    expect((await engine.infer(input, context)).steps).toBe(16);
  });

  it('keeps the engine down if it is a description', async () => {
    sidecar.link = () => TWO_BYTES_EACH;
    await engine.start();
    expect(engine.downReason).toBe(
      'the description of engine "engine-1" is refused unread: 4000000 bytes, where 1048576 are the most',
    );
  });
});

describe('a connection to an engine', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it.each([
    [undefined, {}],
    ['ca.pem', { tls: { minVersion: 'TLSv1.3' } }],
  ])('has limits, pings and TLS with certificate authority %s', async (name, expected) => {
    const opened = jest.spyOn(GrpcClient, 'connect').mockRejectedValue(new Error('refused'));
    const ca = join(mkdtempSync(join(tmpdir(), 'engine-calls-')), 'ca.pem');
    writeFileSync(ca, 'a certificate');
    const { signal } = new AbortController();
    const files = name === undefined ? name : { ca, cert: '', key: '', server_name: '' };
    await expect(connect('host:1', signal, files)).rejects.toThrow('unreachable: refused');
    const [address, options] = opened.mock.calls[0]!;
    expect([address, options]).toMatchObject([
      'host:1',
      {
        ...{ connectTimeoutMs: 2_000, maxMessageBytes: 16_777_216, signal, ...expected },
        http2: { keepaliveSeconds: 10, keepaliveTimeoutSeconds: 2 },
      },
    ]);
    expect('tls' in options!).toBe(name !== undefined);
  });
});
