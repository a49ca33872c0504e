// The router can have a higher message limit than an engine. A request between the two limits fails alone.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RouterError } from '../../services/core/errors.ts';
import { EnginePool } from '../../services/engines/pool.ts';
import type { PooledEngine } from '../../services/engines/pooled-engine.ts';
import { SidecarEngine } from '../../services/engines/sidecar/sidecar-engine.ts';
import { fakePinsOf } from '../fakes/fake-engine.ts';
import { fakeBreaker } from '../fakes/fake-parts.ts';
import { FakeSidecar, answerOf } from '../fakes/fake-sidecar.ts';

const MIB = 1_048_576;
const OTHERS = 8;

/** Its gRPC server accepts 4 MiB, as Describe says. */
let sidecar: FakeSidecar;
let engine: PooledEngine;

beforeAll(async () => {
  sidecar = await new FakeSidecar().start();
  sidecar.onMessage = ({ items }, stream) => {
    stream.write({ results: items.map(({ id }) => answerOf(id, { potentials: Buffer.alloc(8) })), checksum: 0n });
  };
  const pool = new EnginePool(fakePinsOf({}), fakeBreaker);
  engine = pool.add(new SidecarEngine('engine-1', sidecar.address));
  await engine.engine.start();
});

afterAll(async () => {
  await engine.engine.stop();
  engine.breaker.stop();
  sidecar.kill();
});

function ask(bytes: number): Promise<string> {
  const input = { model: 'm', version: 1, shape: [bytes / 4], data: Buffer.alloc(bytes) };
  return engine.infer(input, { deadlineMs: Infinity, signal: new AbortController().signal }).then(
    () => 'answered',
    (error: unknown) => (error as RouterError).kind,
  );
}

describe('a request of 13 MB to an engine with a limit of 4 MiB', () => {
  it('fails alone, and others sent with it are answered', async () => {
    for (let round = 0; round < 20; round += 1) {
      const others = Array.from({ length: OTHERS }, () => ask(3_072));
      const [large, ...rest] = await Promise.all([ask(13e6), ...others]);
      expect([large, new Set(rest)]).toEqual(['INPUT_TOO_LARGE', new Set(['answered'])]);
    }
    expect([engine.breaker.events, engine.failed, engine.state]).toEqual([[], 0, 'READY']);
  });

  it('is refused with the limit to raise', async () => {
    const input = { model: 'm', version: 1, shape: [3_250_000], data: Buffer.alloc(13e6) };
    const answering = engine.infer(input, { deadlineMs: Infinity, signal: new AbortController().signal });
    await expect(answering).rejects.toMatchObject({
      message: expect.stringMatching(
        /^engine "engine-1" takes messages of 4194304 bytes at most, .*--max-message-bytes/,
      ),
      metadata: { bytes: expect.stringMatching(/^130000\d\d$/), max_message_bytes: '4194304' },
    });
  });

  it('is answered if it just fits, also if many such requests are sent at once', async () => {
    const sizes = [4 * MIB - 256, ...Array.from({ length: 12 }, () => 900_000)];
    expect(new Set(await Promise.all(sizes.map(ask)))).toEqual(new Set(['answered']));
    expect(await ask(4 * MIB)).toBe('INPUT_TOO_LARGE');
  });
});
