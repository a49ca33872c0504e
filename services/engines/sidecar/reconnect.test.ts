// Attempts to connect, with a fake clock: the engine's process does not listen, so none reaches the network.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FakeSidecar, answer } from '../../../test/fakes/fake-sidecar.ts';
import type { RouterError } from '../../core/errors.ts';
import { SidecarEngine } from './sidecar-engine.ts';

const INPUT = { model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) };
const context = { deadlineMs: Infinity, signal: new AbortController().signal };

/** Why the engine's process does not listen. */
let away: string;
let attempts: number;
let changes: number;
let engine: SidecarEngine;

beforeEach(() => {
  [away, attempts, changes] = ['its process has ended', 0, 0];
});

afterEach(async () => {
  await engine.stop();
  jest.useRealTimers();
  jest.restoreAllMocks();
});

function create(address = 'unix:/no/such/socket'): SidecarEngine {
  engine = new SidecarEngine('e', address, 500, undefined, undefined, () => {
    attempts += 1;
    return away;
  });
  engine.onChange(() => (changes += 1));
  return engine;
}

describe('an engine whose process does not listen', () => {
  beforeEach(() => {
    jest.useFakeTimers();
    jest.spyOn(Math, 'random').mockReturnValue(0);
    create();
  });

  it('is down with the reason', async () => {
    expect([engine.downReason, engine.kind, engine.peerAddress]).toEqual(['not started', 'sidecar', undefined]);
    await engine.start();
    expect([engine.downReason, engine.description, engine.isFaulty]).toEqual([away, undefined, false]);
    expect([engine.inFlight, engine.unanswered, engine.unexpectedAnswers]).toEqual([0, undefined, 0]);
  });

  it.each([
    [0, [25, 50, 100, 200, 250, 250]],
    [0.52, [38, 76, 152, 304, 380, 380]],
  ])('is tried again after up to 50, 100, 200, 400 and then 500 ms (random %d)', async (random, delays) => {
    jest.spyOn(Math, 'random').mockReturnValue(random);
    await engine.start();
    for (const [index, ms] of delays.entries()) {
      await jest.advanceTimersByTimeAsync(ms - 1);
      expect(attempts).toBe(index + 1);
      await jest.advanceTimersByTimeAsync(1);
      expect(attempts).toBe(index + 2);
    }
  });

  it('reports a reason once, with how often it came in a row', async () => {
    await engine.start();
    await jest.advanceTimersByTimeAsync(25 + 50);
    expect([engine.downReason, changes]).toEqual([`${away} (3 times in a row)`, 1]);
    away = 'it has exited with 5';
    await jest.advanceTimersByTimeAsync(100);
    expect([engine.downReason, changes]).toEqual(['it has exited with 5', 2]);
    away = 'it has exited with 6';
    await jest.advanceTimersByTimeAsync(200);
    expect([engine.downReason, changes]).toEqual(['it has exited with 6 (2 times in a row)', 2]);
  });

  it('says and reports nothing while its address is unproven', async () => {
    engine.isUnproven = true;
    await engine.start();
    await jest.advanceTimersByTimeAsync(1_000);
    expect([engine.downReason, changes]).toEqual([
      'no engine has answered at this address so far; check the address, and that the engine runs',
      0,
    ]);
  });

  it('is not tried again after a stop', async () => {
    await engine.start();
    await engine.stop();
    await jest.advanceTimersByTimeAsync(10_000);
    expect([attempts, jest.getTimerCount()]).toEqual([1, 0]);
  });

  it('fails each input of a group', () => {
    const failed: [number, string][] = [];
    engine.inferEach([INPUT, INPUT], context, {
      answered: () => undefined,
      failed: (index, { kind, message }) => void failed.push([index, `${kind}: ${message}`]),
    });
    const expected = 'ENGINE_LOST: engine "e" is down: not started';
    expect(failed).toEqual([
      [0, expected],
      [1, expected],
    ]);
  });
});

describe('an engine whose process listens', () => {
  let sidecar: FakeSidecar;

  beforeEach(async () => {
    away = '';
    sidecar = await new FakeSidecar().start();
    create(sidecar.address);
  });

  afterEach(() => sidecar.kill());

  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise(setImmediate);
  };

  it('is up, and its address is proven', async () => {
    engine.isUnproven = true;
    await engine.start();
    expect([engine.isUnproven, engine.downReason, changes]).toEqual([false, '', 1]);
  });

  it('is not used if its process ends while it is described', async () => {
    const { link } = sidecar;
    sidecar.link = (message) => {
      away = 'its process has ended';
      return link(message);
    };
    await engine.start();
    expect([engine.downReason, sidecar.streams.length]).toEqual(['its process has ended', 0]);
  });

  it('is not used if it is stopped while it is described', async () => {
    sidecar.isStopped = true;
    const starting = engine.start();
    await until(() => sidecar.described === 1);
    await engine.stop();
    await starting;
    expect([engine.description, changes, sidecar.streams.length]).toEqual([undefined, 0, 0]);
  });

  it('is faulty only if it broke the protocol', async () => {
    await engine.start();
    await until(() => sidecar.streams.length === 1);
    for (let id = 100n; id < 109n; id += 1n) sidecar.streams[0]!.write({ results: [answer(id)], checksum: 0n });
    await until(() => engine.description === undefined);
    expect(engine.isFaulty).toBe(true);
    await until(() => engine.description !== undefined);
    engine.replaceConnection('was told to go');
    expect(engine.isFaulty).toBe(false);
  });

  it('counts unexpected answers of all its streams', async () => {
    sidecar.onMessage = ({ items }, stream) =>
      stream.write({ results: items.flatMap(({ id }) => [answer(id + 50n), answer(id)]), checksum: 0n });
    await engine.start();
    await engine.infer(INPUT, context);
    engine.replaceConnection('was told to go');
    expect(engine.unexpectedAnswers).toBe(1);
    await until(() => engine.description !== undefined);
    await engine.infer(INPUT, context);
    expect(engine.unexpectedAnswers).toBe(2);
  });

  it('sends a group on its stream', async () => {
    await engine.start();
    const ended = await new Promise<string[]>((resolve) => {
      const seen: string[] = [];
      const note = (each: string): void => {
        if (seen.push(each) === 2) resolve(seen);
      };
      engine.inferEach([INPUT, INPUT], context, {
        answered: (index) => note(`${index} answered`),
        failed: (index, { kind }: RouterError) => note(`${index} ${kind}`),
      });
      expect(engine.inFlight).toBe(2);
    });
    expect([ended, sidecar.received.length]).toEqual([['0 answered', '1 answered'], 1]);
  });

  it('counts its failures anew after it has answered', async () => {
    await engine.start();
    for (const _ of [1, 2]) {
      await engine.infer(INPUT, context);
      engine.replaceConnection('was told to go');
      expect(engine.downReason).toBe('it was told to go');
      await until(() => engine.description !== undefined);
    }
    engine.replaceConnection('was told to go');
    expect(engine.downReason).toBe('it was told to go (2 times in a row)');
  });

  it.each([
    [999, 'it was told to go (2 times in a row)'],
    [1_000, 'it was told to go'],
  ])('without an answer for %d ms is lost with the reason: %s', async (ms, expected) => {
    const now = jest.spyOn(performance, 'now').mockReturnValue(5_000);
    await engine.start();
    engine.replaceConnection('was told to go');
    await until(() => engine.description !== undefined);
    now.mockReturnValue(5_000 + ms);
    engine.replaceConnection('was told to go');
    expect(engine.downReason).toBe(expected);
  });
});
