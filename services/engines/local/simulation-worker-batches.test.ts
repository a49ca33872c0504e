// Batches, recordings and restarts with real threads.
import { afterEach, describe, expect, it } from '@jest/globals';
import { jobOf } from '../../../test/fakes/simulation-port.ts';
import { chain, compileGraph, node } from '../../../test/support/run-network.ts';
import type { SimulationSetup } from './messages.ts';
import { SimulationWorker } from './simulation-worker.ts';

const REAL = new URL('./simulation-thread.ts', import.meta.url);
const CRASHING = new URL('../../../test/support/crashing-simulation.ts', import.meta.url);
const fires = node('IF', { r: 1, v_threshold: 0.5 });
const small = compileGraph(chain(1, 1, { fires }), 'dt: 1\nsteps: 2');
const crash = compileGraph(chain(1, 1, { crash: fires }), 'dt: 1\nsteps: 2');

const workers: SimulationWorker[] = [];
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
});

function start(script = REAL) {
  const log: string[] = [];
  const waiting: { readonly event: string; readonly resolve: (nothing: undefined) => void }[] = [];
  const note = (event: string): void => {
    log.push(event);
    for (const each of waiting) if (event.startsWith(each.event)) each.resolve(undefined);
  };
  const flags = new Int32Array(new SharedArrayBuffer(64));
  const networks = new Map(Object.entries({ small, crash }));
  const setup: SimulationSetup = { flags, networks, recorderBytes: 1 << 16 };
  const worker = new SimulationWorker(script, setup, {
    answered: (answers) => note(`answered ${answers.map(({ slot }) => slot).join(', ')}`),
    free: () => note(`free, ${worker.batches}`),
    lost: (slots, why) => note(`lost ${slots.join(', ')}: ${why}`),
    ready: () => note(`ready, ${worker.life}`),
  });
  workers.push(worker);
  worker.start();
  const next = (event: string): Promise<undefined> => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    waiting.push({ event, resolve });
    return promise;
  };
  return { worker, log, next };
}

const job = (slot: number, model = 'small') => jobOf(slot, model, [1], 2);

describe('SimulationWorker', () => {
  it('has room for two batches, and again when one ends', async () => {
    const { worker, log, next } = start();
    expect([worker.isUp, worker.hasRoom, worker.batches, worker.life]).toEqual([true, true, 0, 1]);
    worker.send([job(1)]);
    expect([worker.hasRoom, worker.batches]).toEqual([true, 1]);
    worker.send([job(2)]);
    expect([worker.hasRoom, worker.batches]).toEqual([false, 2]);
    await next('free, 0');
    expect(log).toEqual(['ready, 1', 'answered 1', 'free, 1', 'answered 2', 'free, 0']);
    expect(worker.hasRoom).toBe(true);
  });

  it('is not up before its start', () => {
    const nothing = (): void => undefined;
    const events = { answered: nothing, free: nothing, lost: nothing, ready: nothing };
    const worker = new SimulationWorker(REAL, {} as SimulationSetup, events);
    expect([worker.isUp, worker.hasRoom, worker.life]).toEqual([false, false, 0]);
  });

  it('fetches recordings in the order of the requests', async () => {
    const { worker, next } = start();
    worker.send([job(1), job(2)]);
    await next('free');
    const found = await Promise.all([2, 9, 1].map((number) => worker.recording(number)));
    expect(found.map((recording) => recording?.steps)).toEqual([2, undefined, 2]);
  });

  it('loses what a dead thread has not answered, and starts another', async () => {
    const { worker, log, next } = start(CRASHING);
    worker.send([job(1)]);
    await next('free');
    worker.send([job(2, 'crash'), job(3)]);
    worker.send([job(4)]);
    const recording = worker.recording(1);
    await next('lost');
    expect([worker.isUp, worker.hasRoom, worker.batches]).toEqual([false, false, 0]);
    expect([await recording, await worker.recording(1)]).toEqual([undefined, undefined]);
    await next('ready');
    worker.send([job(5)]);
    await next('free');
    expect(log).toEqual([
      ...['ready, 1', 'answered 1', 'free, 0', 'lost 2, 3, 4: its worker exited'],
      ...['ready, 2', 'answered 5', 'free, 0'],
    ]);
  });

  it('loses nothing when it is stopped, and does not start again', async () => {
    const { worker, log } = start();
    worker.send([job(1)]);
    await worker.stop();
    await worker.stop();
    expect([worker.isUp, log.filter((event) => /lost|ready/.test(event))]).toEqual([false, ['ready, 1']]);
  });

  it('says why a thread failed', async () => {
    const { log, next } = start(new URL('data:text/javascript,throw new Error("no disk")'));
    await next('lost');
    expect(log[1]).toBe('lost : its worker failed: no disk');
  });
});
