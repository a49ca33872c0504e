import { afterEach, expect, it, jest } from '@jest/globals';
import type { SimulationSetup } from './messages.ts';
import { SimulationWorker } from './simulation-worker.ts';

const DIES = new URL('data:text/javascript,process.exit(1)');

afterEach(() => {
  jest.restoreAllMocks();
});

it('SimulationWorker waits twice as long before each restart, up to 30 s', async () => {
  const delaysMs: number[] = [];
  const realSetTimeout = setTimeout;
  jest.spyOn(globalThis, 'setTimeout').mockImplementation(((run: () => void, ms: number) => {
    delaysMs.push(ms);
    return realSetTimeout(run, 0);
  }) as unknown as typeof setTimeout);
  const { promise: enough, resolve } = Promise.withResolvers<undefined>();
  const nothing = (): void => undefined;
  const worker = new SimulationWorker(DIES, {} as SimulationSetup, {
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
