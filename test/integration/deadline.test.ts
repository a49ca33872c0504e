import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Metadata } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ReasonRequest } from '../../services/generated/tandem/v1/reasoning.ts';
import { matrix, writeNir } from '../support/nir-writer.ts';
import { refusalOf } from '../support/refusal.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

const HIDDEN = 2_048;

/** One network with two names: `slow` runs it for 100,000 steps (many seconds), `quick` for one. */
function repository(): string {
  const dir = mkdtempSync(join(tmpdir(), 'tandem-slow-'));
  const nir = writeNir({
    type: 'NIRGraph',
    nodes: {
      input: { type: 'Input', fields: { shape: { shape: [1], values: [1], dtype: 'int64' } } },
      spread: { type: 'Linear', fields: { weight: matrix(...Array.from({ length: HIDDEN }, () => [1])) } },
      // v becomes the input at every step, and fires at every step.
      fire: { type: 'LIF', fields: { tau: 1e-3, r: 1, v_leak: 0, v_threshold: 0.5 } },
      gather: {
        type: 'Linear',
        fields: { weight: matrix(...Array.from({ length: 64 }, () => Array<number>(HIDDEN).fill(1e-3))) },
      },
      output: { type: 'Output', fields: { shape: { shape: [1], values: [64], dtype: 'int64' } } },
    },
    edges: [
      ['input', 'spread'],
      ['spread', 'fire'],
      ['fire', 'gather'],
      ['gather', 'output'],
    ],
  });
  for (const [name, steps] of Object.entries({ slow: 100_000, quick: 1 })) {
    mkdirSync(join(dir, name, '1'), { recursive: true });
    writeFileSync(join(dir, name, '1/model.nir'), nir);
    writeFileSync(join(dir, name, 'model.yaml'), `steps: ${steps}\ninput: {shape: [1]}\n`);
  }
  return dir;
}

describe.each([
  ['the C++ sidecar', { local: { enabled: false }, spawn: { count: 1 } }],
  ['the local engine', { spawn: { count: 0 } }],
])('inside a long simulation in %s', (_name, settings) => {
  let system: System;

  beforeAll(async () => {
    system = await startSystem({ models_dir: repository(), ...settings });
  });

  afterAll(async () => {
    await system.stop();
  });

  /** Answers only if the engine is free again: it has one thread, and the slow run would use it for seconds. */
  const quick = (): Promise<unknown> =>
    system.reason({ model: 'quick', encoding: [1] }, { deadline: Date.now() + 1_500 });

  it('the caller’s deadline ends the work', async () => {
    const refusal = await refusalOf(system.reason({ model: 'slow', encoding: [1] }, { deadline: Date.now() + 200 }));
    expect(refusal.code).toBe('DEADLINE_EXCEEDED');
    await quick();
  });

  it('the caller’s cancellation ends the work', async () => {
    let ended = false;
    const refusal = await new Promise((resolve) => {
      const request = ReasonRequest.fromPartial({ model: 'slow', encoding: [1] });
      const call = system.client.reason(request, new Metadata(), (error) => {
        ended = true;
        resolve(error?.code);
      });
      const cancelOnceUnderWay = (): void => {
        if (system.pool.engines.some(({ engine }) => engine.inFlight > 0)) call.cancel();
        else if (!ended) setImmediate(cancelOnceUnderWay);
      };
      cancelOnceUnderWay();
    });
    expect(refusal).toBe(1); // CANCELLED
    await until(() => system.pool.engines.every(({ engine }) => engine.inFlight === 0), {
      what: 'the end of the slow run',
    });
    await quick();
    expect(system.pool.engines.map(({ failed }) => failed)).toEqual([0]);
  });
});
