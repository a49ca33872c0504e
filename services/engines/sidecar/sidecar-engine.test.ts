import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { FakeSidecar, answer, answerOf, refuse } from '../../../test/fakes/fake-sidecar.ts';
import { RouterError } from '../../core/errors.ts';
import type { CallContext, Inference } from '../../core/inference.ts';
import { LayerActivity } from '../../generated/tandem/engine/v1/engine.ts';
import { SidecarEngine } from './sidecar-engine.ts';

const input = { model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) };

const STALL_MS = 100;

let sidecar: FakeSidecar;
let engine: SidecarEngine;

beforeEach(async () => {
  sidecar = await new FakeSidecar().start();
  engine = new SidecarEngine('engine-1', sidecar.address, STALL_MS);
  await engine.start();
});

afterEach(async () => {
  sidecar.kill();
  await engine.stop();
});

function context(over: Partial<CallContext> = {}): CallContext {
  return { deadlineMs: Infinity, signal: new AbortController().signal, ...over };
}

async function kindOf(answering: Promise<unknown>): Promise<string> {
  return await answering.then(
    () => 'answered',
    (error: unknown) => (error as RouterError).kind,
  );
}

/** Resolves when `condition` holds after a change of the engine or a message to the sidecar. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('SidecarEngine', () => {
  it('has a description once it is connected', () => {
    expect(engine.description).toMatchObject({ build: 'fake 1', models: [{ name: 'm', modelId: 7n }] });
  });

  it('keeps all 64 bits of the digest', async () => {
    expect((await engine.infer(input, context())).stateDigest).toBe(0xfedcba9876543210n);
  });

  it('sends waiting inputs in one message', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => engine.infer(input, context())));
    expect([answers.length, sidecar.received.length]).toEqual([50, 1]);
  });

  it('splits inputs that exceed the message size', async () => {
    const large = { ...input, data: Buffer.alloc(900_000) };
    await Promise.all([engine.infer(large, context()), engine.infer(large, context())]);
    expect(sidecar.received.map((message) => message.items.length)).toEqual([1, 1]);
  });

  it('returns each caller’s own answer, in any order of arrival', async () => {
    sidecar.onMessage = ({ items }, stream) => {
      stream.write({ results: items.map(({ id }, n) => answer(id, [n])).reverse(), checksum: 0n });
    };
    const answers: Inference[] = await Promise.all([1, 2, 3].map(() => engine.infer(input, context())));
    expect(answers.map(({ spikeCounts }) => spikeCounts[0])).toEqual([0, 1, 2]);
  });

  it('sends the time left to the engine', async () => {
    await engine.infer(input, context({ deadlineMs: performance.now() + 5_000 }));
    const timeoutUs = Number(sidecar.received[0]?.items[0]?.timeoutUs);
    expect(timeoutUs).toBeGreaterThan(4_000_000);
    expect(timeoutUs).toBeLessThanOrEqual(5_000_000);
  });

  it('fails at the deadline if the engine stalls', async () => {
    sidecar.onMessage = () => undefined;
    expect(await kindOf(engine.infer(input, context({ deadlineMs: performance.now() + 30 })))).toBe(
      'DEADLINE_EXCEEDED',
    );
    expect(engine.inFlight).toBe(0);
  });

  it('sends a cancellation if a caller leaves, and ignores a late answer', async () => {
    sidecar.onMessage = () => undefined;
    const caller = new AbortController();
    const answering = kindOf(engine.infer(input, context({ signal: caller.signal })));
    await until(() => sidecar.received.length === 1);
    caller.abort();
    expect(await answering).toBe('INTERNAL'); // the reason of the abort was not a RouterError
    await until(() => sidecar.received.length === 2);
    const id = sidecar.received[0]?.items[0]?.id ?? 0n;
    expect(sidecar.received[1]?.cancelIds).toEqual([id]);
    sidecar.streams[0]?.write({ results: [answer(id), answer(12_345n)], checksum: 0n });
    sidecar.onMessage = ({ items }, stream) =>
      stream.write({ results: items.map((item) => answer(item.id, [42])), checksum: 0n });
    expect((await engine.infer(input, context())).spikeCounts).toEqual([42]);
  });

  it.each([
    ['NON_FINITE', 'NON_FINITE'],
    ['ENGINE_FULL', 'ENGINE_FULL'],
    ['DRAINING', 'DRAINING'],
    ['UNKNOWN_MODEL', 'UNKNOWN_MODEL'],
    ['INTERNAL', 'ENGINE_FAULT'],
    ['CANCELLED', 'ENGINE_FAULT'],
    ['ROUTER_FULL', 'ENGINE_FAULT'],
    ['ENGINE_LOST', 'ENGINE_FAULT'],
    ['INPUT_TOO_LARGE', 'ENGINE_FAULT'],
    ['TRACE_STEP', 'ENGINE_FAULT'],
    ['toString', 'ENGINE_FAULT'],
    ['', 'ENGINE_FAULT'],
    ['SOMETHING_NEW', 'ENGINE_FAULT'],
  ])('converts the engine’s %s to %s', async (reason, kind) => {
    sidecar.onMessage = ({ items }, stream) =>
      stream.write({ results: items.map(({ id }) => refuse(id, reason)), checksum: 0n });
    expect(await kindOf(engine.infer(input, context()))).toBe(kind);
  });

  it('fails only the item whose result is missing', async () => {
    sidecar.onMessage = ({ items: [first, ...others] }, stream) => {
      const results = [{ id: first!.id, outcome: undefined }, ...others.map(({ id }) => answer(id))];
      stream.write({ results, checksum: 0n });
    };
    const [first, ...others] = await Promise.all([1, 2, 3].map(() => kindOf(engine.infer(input, context()))));
    expect([first, others]).toEqual(['ENGINE_FAULT', ['answered', 'answered']]);
  });

  it('does not round numbers above 2^53', async () => {
    sidecar.onMessage = ({ items: [item] }, stream) => {
      const { outcome } = answer(item!.id);
      if (outcome?.$case !== 'inference') return;
      const layers = [LayerActivity.fromPartial({ node: 'lif', spikes: 2n ** 64n - 1n, eventsLeftOut: 2n ** 53n })];
      const value = { ...outcome.value, totalSpikes: 2n ** 64n - 1n, layers };
      stream.write({ results: [{ id: item!.id, outcome: { $case: 'inference', value } }], checksum: 0n });
    };
    const { totalSpikes, layers } = await engine.infer(input, context());
    expect([totalSpikes, layers?.[0]?.spikes, layers?.[0]?.eventsLeftOut]).toEqual([
      2n ** 64n - 1n,
      Infinity,
      Infinity,
    ]);
  });

  it('truncates and escapes the text of an engine’s error', async () => {
    sidecar.onMessage = ({ items: [item] }, stream) => {
      const value = { code: 11, reason: 'NON_FINITE', message: '\u001b[2J'.repeat(1_000), recordingId: 5n };
      const metadata = Object.fromEntries([...Array(16).keys()].map((n) => [`k${n}`, '\n'.repeat(1_000)]));
      const outcome = { $case: 'error', value: { ...value, metadata } } as const;
      stream.write({ results: [{ id: item!.id, outcome }], checksum: 0n });
    };
    const error = await engine.infer(input, context()).catch((thrown: unknown) => thrown as RouterError);
    const { kind, message, metadata, recordingId } = error as RouterError;
    expect([kind, message.length, Object.keys(metadata).length, recordingId]).toEqual(['NON_FINITE', 256, 8, 5n]);
    expect(`${message}${metadata['k0']}`).toMatch(/^[ -~]*$/);
  });

  it('truncates and escapes the text of an engine’s description', async () => {
    const evil = '\u001b[31m\u202e\u2028\r\n'.repeat(1_000);
    const [model] = sidecar.description.models;
    const models = [
      { ...model!, name: evil },
      { ...model!, error: evil },
    ];
    sidecar.description = { ...sidecar.description, build: evil, models };
    const other = new SidecarEngine('engine-4', sidecar.address);
    await other.start();
    const { build, models: kept } = other.description!;
    expect([build.length, kept[0]?.name.length, kept[1]?.error.length]).toEqual([200, 160, 500]);
    expect(`${build}${kept[0]?.name}${kept[1]?.error}`).toMatch(/^[ -~]*$/);
    await other.stop();
  });

  it('escapes the names of layers', async () => {
    sidecar.onMessage = ({ items: [item] }, stream) => {
      const layers = [LayerActivity.fromPartial({ node: 'lif\u001b\u202e' })];
      stream.write({ results: [answerOf(item!.id, { layers })], checksum: 0n });
    };
    expect((await engine.infer(input, context())).layers?.[0]?.node).toBe('lif??');
  });

  it('counts unexpected results, except those of cancelled inputs', async () => {
    sidecar.onMessage = ({ items }, stream) => {
      const results = items.flatMap(({ id }) => [answer(id), answer(id), answer(2n ** 64n - 1n)]);
      stream.write({ results, checksum: 0n });
    };
    await engine.infer(input, context());
    sidecar.onMessage = ({ items, cancelIds }, stream) => {
      if (items.length === 0) stream.write({ results: cancelIds.map((id) => refuse(id, 'CANCELLED')), checksum: 0n });
    };
    const caller = new AbortController();
    const answering = kindOf(engine.infer(input, context({ signal: caller.signal })));
    await until(() => sidecar.received.length === 2);
    caller.abort(new RouterError('CANCELLED', 'left'));
    expect(await answering).toBe('CANCELLED');
    await until(() => sidecar.received.length === 3);
    sidecar.onMessage = ({ items }, stream) =>
      stream.write({ results: items.map(({ id }) => answer(id)), checksum: 0n });
    await engine.infer(input, context());
    expect(engine.unexpectedAnswers).toBe(2);
  });

  it('loses an engine that continues to send unexpected answers', async () => {
    sidecar.onMessage = ({ items }, stream) =>
      stream.write({ results: items.flatMap(({ id }) => [answer(id + 1_000n), answer(id)]), checksum: 0n });
    for (let n = 0; n < 8; n += 1) expect(await kindOf(engine.infer(input, context()))).toBe('answered');
    sidecar.onMessage = (_, stream) => stream.write({ results: [answer(5_000n)], checksum: 0n });
    expect(await kindOf(engine.infer(input, context()))).toBe('ENGINE_FAULT');
    expect(engine.downReason).toBe('it sent 9 answers with ids that were never sent, or answered before');
  });

  it('loses an engine that repeatedly answers twice', async () => {
    sidecar.onMessage = ({ items }, stream) =>
      stream.write({ results: items.flatMap(({ id }) => [answer(id), answer(id)]), checksum: 0n });
    const kinds = await Promise.all(Array.from({ length: 9 }, () => kindOf(engine.infer(input, context()))));
    expect(kinds).toEqual(Array(9).fill('answered')); // the unexpected answers are in the same message
    await until(() => engine.description === undefined);
    expect(engine.downReason).toMatch(/^it sent 9 answers/);
  });

  it('loses an engine that sends many empty messages', async () => {
    sidecar.onMessage = (_, stream) => {
      for (let n = 0; n < 1_000; n += 1) stream.write({ results: [], checksum: 0n });
    };
    expect(await kindOf(engine.infer(input, context()))).toBe('ENGINE_FAULT');
    expect(engine.downReason).toBe('it sends messages without results');
  });

  it('counts unanswered inputs if the engine sends only empty messages', async () => {
    sidecar.onMessage = (_, stream) => stream.write({ results: [], checksum: 0n });
    const answering = [1, 2, 3].map(() => kindOf(engine.infer(input, context({ deadlineMs: performance.now() + 60 }))));
    expect(engine.unanswered).toBeUndefined();
    await Promise.all(answering);
    await until(() => engine.unanswered !== undefined);
    expect(engine.unanswered).toEqual({ inputs: 3, forMs: STALL_MS });
  });

  it('counts no unanswered inputs if the engine answers late', async () => {
    sidecar.onMessage = ({ items }, stream) => {
      setTimeout(() => stream.write({ results: items.map(({ id }) => answer(id)), checksum: 0n }), 60);
    };
    for (let n = 0; n < 4; n += 1) {
      expect(await kindOf(engine.infer(input, context({ deadlineMs: performance.now() + 40 })))).toBe(
        'DEADLINE_EXCEEDED',
      );
    }
    expect(engine.unanswered).toBeUndefined();
  });

  it('counts no unanswered inputs if the engine confirms their cancellation', async () => {
    sidecar.onMessage = ({ cancelIds }, stream) => {
      if (cancelIds.length === 0) return;
      stream.write({ results: cancelIds.map((id) => refuse(id, 'CANCELLED')), checksum: 0n });
    };
    expect(await kindOf(engine.infer(input, context({ deadlineMs: performance.now() + 20 })))).toBe(
      'DEADLINE_EXCEEDED',
    );
    await new Promise((resolve) => setTimeout(resolve, 2 * STALL_MS));
    expect(engine.unanswered).toBeUndefined();
  });

  it('replaceConnection fails open inputs and reconnects', async () => {
    sidecar.onMessage = () => undefined;
    const answering = kindOf(engine.infer(input, context()));
    await until(() => sidecar.received.length === 1);
    engine.replaceConnection('took 5 inputs and answered none');
    expect([await answering, engine.downReason]).toEqual(['ENGINE_LOST', 'it took 5 inputs and answered none']);
    await until(() => sidecar.streams.length === 2);
    expect(engine.description).toBeDefined();
  });

  it('sends nothing for a caller that has left', async () => {
    const signal = AbortSignal.abort(new RouterError('CANCELLED', 'left'));
    expect(await kindOf(engine.infer(input, context({ signal })))).toBe('CANCELLED');
    await engine.infer(input, context());
    expect(sidecar.received.map(({ items, cancelIds }) => [items.length, cancelIds.length])).toEqual([[1, 0]]);
  });

  it('stops once for concurrent calls of stop', async () => {
    sidecar.onMessage = ({ items }, stream) => {
      setImmediate(() => stream.write({ results: items.map(({ id }) => answer(id)), checksum: 0n }));
    };
    const answering = kindOf(engine.infer(input, context()));
    await Promise.all([engine.stop(), engine.stop()]);
    expect(await answering).toBe('answered');
  });

  it('fails all inputs at once if the engine dies, and reconnects', async () => {
    sidecar.onMessage = () => undefined;
    const answering = Promise.all(Array.from({ length: 20 }, () => kindOf(engine.infer(input, context()))));
    await until(() => sidecar.received.length === 1);
    sidecar.kill();
    expect(new Set(await answering)).toEqual(new Set(['ENGINE_LOST']));
    expect(engine.description).toBeUndefined();
    expect(await kindOf(engine.infer(input, context()))).toBe('ENGINE_LOST');
    const back = new Promise<void>((resolve) => engine.onChange(() => engine.description && resolve()));
    await sidecar.start();
    await back;
    sidecar.onMessage = ({ items }, stream) =>
      stream.write({ results: items.map(({ id }) => answer(id)), checksum: 0n });
    expect(await kindOf(engine.infer(input, context()))).toBe('answered');
  });

  it('reconnects at once if a stream ends after an answer', async () => {
    for (let n = 0; n < 5; n += 1) {
      await engine.infer(input, context());
      sidecar.streams.at(-1)!.end();
      await until(() => engine.description === undefined);
      const endedMs = performance.now();
      await until(() => engine.description !== undefined);
      expect(performance.now() - endedMs).toBeLessThan(400); // 50 ms, plus the time to connect
    }
  });

  it('finishes inputs in flight before it stops', async () => {
    let finish: () => void = () => undefined;
    sidecar.onMessage = ({ items }, stream) => {
      finish = () => stream.write({ results: items.map(({ id }) => answer(id)), checksum: 0n });
    };
    const answering = kindOf(engine.infer(input, context()));
    await until(() => sidecar.received.length === 1);
    const stopped = engine.stop();
    finish();
    expect(await answering).toBe('answered');
    await stopped;
  });

  it('loses an engine that owes an answer and does not answer probes', async () => {
    sidecar.onMessage = () => undefined;
    sidecar.isStopped = true;
    await expect(engine.infer(input, context())).rejects.toMatchObject({
      kind: 'ENGINE_LOST',
      message: expect.stringContaining(`silent for ${STALL_MS} ms`) as unknown,
    });
    expect(engine.description).toBeUndefined();
    sidecar.isStopped = false;
    await until(() => engine.description !== undefined);
  });

  it('keeps the first reason while the engine does not answer', async () => {
    sidecar.refusal = { code: status.DEADLINE_EXCEEDED, details: 'Deadline exceeded after 2.001s' };
    engine.replaceConnection('owes answers and was silent');
    await until(() => engine.downReason.includes('since then'));
    expect(engine.downReason).toBe(
      'it owes answers and was silent; since then it does not answer: its process may be stopped',
    );
    sidecar.refusal = { code: status.INTERNAL, details: 'no' };
    await until(() => engine.downReason === '13 INTERNAL: no');
  });

  it('waits for a slow engine that answers probes', async () => {
    sidecar.onMessage = ({ items }, stream) => {
      void until(() => sidecar.described > 4).then(() =>
        stream.write({ results: items.map(({ id }) => answer(id)), checksum: 0n }),
      );
    };
    expect(await kindOf(engine.infer(input, context()))).toBe('answered');
  });
});
