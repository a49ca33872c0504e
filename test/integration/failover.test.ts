import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readHeldout } from '../support/heldout.ts';
import { type System, startSystem } from '../support/system.ts';

const heldout = readHeldout();
let system: System;

beforeAll(async () => {
  system = await startSystem();
});

afterAll(async () => {
  await system.stop();
});

/** Keeps `inFlight` requests going until `total` have ended; calls `at200` once that many are under way. */
async function load(
  total: number,
  inFlight: number,
  whenFull: () => void,
): Promise<{ failed: number; answeredBy: string[] }> {
  let started = 0;
  let failed = 0;
  const answeredBy: string[] = [];
  const worker = async (): Promise<void> => {
    while (started < total) {
      const item = heldout[started % heldout.length];
      started += 1;
      if (started === inFlight) whenFull();
      try {
        const response = await system.reason({
          tensor: { shape: [768], dtype: 'FP32', data: item?.data ?? Buffer.alloc(0) },
        });
        answeredBy.push(response.engine?.engineId ?? '');
      } catch {
        failed += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return { failed, answeredBy };
}

describe('a sidecar killed with -9 while 200 requests are in flight', () => {
  it('fails no request, comes back, and is used again', async () => {
    const [first] = system.supervisors;
    const killed = first?.pid ?? 0;
    const back = new Promise<void>((resolve) => {
      let wasDown = false;
      const { engine } = system.pool.engines.find(({ id }) => id === 'engine-1') ?? {};
      engine?.onChange(() => {
        if (engine.description === undefined) wasDown = true;
        else if (wasDown) resolve();
      });
    });
    const { failed, answeredBy } = await load(3_000, 200, () => process.kill(killed, 'SIGKILL'));
    expect({ failed, answered: answeredBy.length }).toEqual({ failed: 0, answered: 3_000 });
    await back;
    expect(first?.pid).not.toBe(killed);
    const after = await load(30, 3, () => undefined);
    expect(after.answeredBy.filter((id) => id === 'engine-1')).toHaveLength(10);
  });
});
