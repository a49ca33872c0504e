import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, it, jest } from '@jest/globals';
import type { SimulationSetup } from './messages.ts';
import { SimulationWorker } from './simulation-worker.ts';

const dir = mkdtempSync(join(tmpdir(), 'tandem-worker-'));

afterEach(() => {
  jest.restoreAllMocks();
  rmSync(dir, { recursive: true, force: true });
});

it('SimulationWorker waits twice as long before each restart, up to 30 s', async () => {
  const script = join(dir, 'dies.mjs');
  writeFileSync(script, 'process.exit(1);');
  const delaysMs: number[] = [];
  const realSetTimeout = setTimeout;
  jest.spyOn(globalThis, 'setTimeout').mockImplementation(((run: () => void, ms: number) => {
    delaysMs.push(ms);
    return realSetTimeout(run, 0);
  }) as unknown as typeof setTimeout);
  const { promise: enough, resolve } = Promise.withResolvers<undefined>();
  const nothing = (): void => undefined;
  const worker = new SimulationWorker(pathToFileURL(script), {} as SimulationSetup, {
    ...{ answered: nothing, free: nothing, ready: nothing },
    lost: (_, why) => {
      expect(why).toBe('its worker exited');
      if (delaysMs.length === 11) resolve(undefined);
    },
  });
  worker.start();
  await enough;
  await worker.stop();
  expect(delaysMs).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
});
