import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import { SidecarEngine } from '../../services/engines/sidecar/sidecar-engine.ts';
import { type DescribeResponse, EngineServiceClient } from '../../services/generated/tandem/engine/v1/engine.ts';
import { type RunningSidecar, startSidecar, unusedSocket } from './sidecar.ts';
import { SUPERSENSE } from './models.ts';

const MODELS = SUPERSENSE;

let sidecar: RunningSidecar;

afterEach(async () => {
  await sidecar.stop();
});

/** Its description, or the status of the call if it does not answer within `timeoutMs`. */
async function ask(timeoutMs = 5_000): Promise<DescribeResponse | string> {
  const client = new EngineServiceClient(sidecar.address, grpc.credentials.createInsecure());
  const options = { deadline: Date.now() + timeoutMs };
  const answer = await new Promise<DescribeResponse | string>((resolve) => {
    client.describe({}, new grpc.Metadata(), options, (error, response) =>
      resolve(error ? grpc.status[error.code] : response),
    );
  });
  client.close();
  return answer;
}

const ANSWERS = { numericsVersion: 1, maxInFlight: 1_024 };

describe('a running sidecar', () => {
  beforeEach(async () => {
    sidecar = await startSidecar(MODELS);
  });

  it('listens on a port of the system’s choice', async () => {
    expect(sidecar.address).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
    expect(await ask()).toMatchObject(ANSWERS);
  });

  it('ends when it is killed, and restarts at the same address as another process', async () => {
    const { address, pid } = sidecar;
    await sidecar.kill();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(await ask()).toBe('UNAVAILABLE');
    await sidecar.restart();
    expect(sidecar.address).toBe(address);
    expect(sidecar.pid).not.toBe(pid);
    expect(await ask()).toMatchObject(ANSWERS);
  });

  it('does not answer while it is paused', async () => {
    await sidecar.pause();
    expect(await ask(50)).toBe('DEADLINE_EXCEEDED');
    sidecar.resume();
    expect(await ask()).toMatchObject(ANSWERS);
  });

  it.each(['killed', 'stopped', 'restarted'])('can be %s while it is paused', async (done) => {
    const { pid } = sidecar;
    await sidecar.pause();
    if (done === 'killed') await sidecar.kill();
    if (done === 'stopped') await sidecar.stop();
    if (done === 'restarted') await sidecar.restart();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('is found again by the router’s engine after a restart', async () => {
    const engine = new SidecarEngine('engine-1', sidecar.address);
    await engine.start();
    const changes: boolean[] = [];
    const back = new Promise<void>((resolve) => {
      engine.onChange(() => {
        changes.push(engine.description !== undefined);
        if (engine.description !== undefined) resolve();
      });
    });
    await sidecar.restart();
    await back;
    expect([changes[0], changes.at(-1)]).toEqual([false, true]);
    await engine.stop();
  });
});

describe('a sidecar with options', () => {
  it('uses them again at every restart, with the same Unix socket', async () => {
    sidecar = await startSidecar(MODELS, { listen: unusedSocket(), args: ['--max-queue', '4'] });
    await sidecar.restart();
    expect(await ask()).toMatchObject({ maxInFlight: 4 });
  });
});
