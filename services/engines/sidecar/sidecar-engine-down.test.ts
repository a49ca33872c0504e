import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeSidecar } from '../../../test/fakes/fake-sidecar.ts';
import { SidecarEngine } from './sidecar-engine.ts';

let sidecar: FakeSidecar;

beforeEach(async () => {
  sidecar = await new FakeSidecar().start();
});

afterEach(() => {
  sidecar.kill();
});

/** Resolves when `condition` holds after a change of the engine or a message to the sidecar. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('SidecarEngine that cannot connect', () => {
  it('reports the reason in downReason', async () => {
    const missing = new SidecarEngine('engine-2', 'unix:/no/such/socket');
    await missing.start();
    expect(missing.downReason).toMatch(/no\/such\/socket/);
    await missing.stop();
  });

  it('truncates and escapes the engine’s own reason', async () => {
    sidecar.refusal = { code: status.INTERNAL, details: `\u001b[2Jall is well\n${'B'.repeat(2_000)}` };
    const other = new SidecarEngine('engine-5', sidecar.address);
    await other.start();
    expect(other.downReason).toMatch(/^13 INTERNAL: \?\[2Jall is well\?B+$/);
    expect(other.downReason.length).toBe(300);
    await other.stop();
  });

  it.each([
    ['numerics', { numericsVersion: 2 }, 'engine-3 implements numerics version 2, this router 1: upgrade the router'],
    [
      'protocol',
      { protocolVersion: 3, oldestProtocolVersion: 2 },
      'engine-3 speaks protocol version 2 to 3, this router 1: upgrade the router',
    ],
  ])('refuses an engine whose %s version differs, and names the versions', async (_, over, why) => {
    sidecar.description = { ...sidecar.description, ...over };
    const newer = new SidecarEngine('engine-3', sidecar.address);
    await newer.start();
    expect([newer.description, newer.downReason]).toEqual([undefined, why]);
    await newer.stop();
  });

  it('reports reasons that differ only in digits once, with their number', async () => {
    let reports = 0;
    sidecar.refusal = { code: status.INTERNAL, details: 'try 0' };
    const other = new SidecarEngine('engine-6', sidecar.address);
    other.onChange(() => (reports += 1));
    await other.start();
    for (let n = 1; n < 4; n += 1) {
      sidecar.refusal = { code: status.INTERNAL, details: `try ${n}` };
      const { described } = sidecar;
      await until(() => sidecar.described > described && other.downReason.includes(`try ${n}`));
    }
    expect([reports, other.downReason]).toEqual([1, '13 INTERNAL: try 3 (4 times in a row)']);
    await other.stop();
  });

  it('waits longer before each attempt if streams end without an answer', async () => {
    const flapping = new FakeSidecar();
    flapping.onStream = (stream) => stream.end();
    await flapping.start();
    const other = new SidecarEngine('engine-7', flapping.address);
    const connectedMs: number[] = [];
    other.onChange(() => other.description && connectedMs.push(performance.now()));
    await other.start();
    await until(() => connectedMs.length === 6);
    // 50, 100, 200, 400 and 500 ms, each shortened by half at most.
    expect(connectedMs[5]! - connectedMs[0]!).toBeGreaterThan(625);
    flapping.kill();
    await other.stop();
  });
});

describe('a sidecar engine that has not described itself yet', () => {
  it('refuses calls with ENGINE_LOST', async () => {
    sidecar.isStopped = true;
    const other = new SidecarEngine('engine-8', sidecar.address);
    const starting = other.start();
    await until(() => sidecar.described > 0);
    const input = { model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) };
    const context = { deadlineMs: Infinity, signal: new AbortController().signal };
    await expect(other.trace(input, undefined, context)).rejects.toMatchObject({ kind: 'ENGINE_LOST' });
    sidecar.kill();
    await starting;
    await other.stop();
  });
});
