// Two routers on one machine: each asks only the engines that it has started.
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { EngineState } from '../../services/generated/tandem/v1/engines.ts';
import { freePorts } from '../support/free-ports.ts';
import { SUPERSENSE } from '../support/models.ts';
import { Operator } from '../support/operator.ts';
import { type RouterProcess, startRouter } from '../support/router-process.ts';
import { until } from '../support/until.ts';

const routers: RouterProcess[] = [];

afterEach(async () => {
  await Promise.all(routers.splice(0).map((router) => router.stop()));
});

async function start(spawn: object): Promise<RouterProcess> {
  const router = await startRouter({ models_dir: SUPERSENSE, local: { enabled: false }, spawn });
  routers.push(router);
  return router;
}

async function engineOf({ adminAddress }: RouterProcess): Promise<Awaited<ReturnType<Operator['engines']>>[0]> {
  const operator = new Operator(adminAddress);
  const [engine] = await operator.engines();
  operator.close();
  return engine!;
}

describe('two routers with the same settings', () => {
  it('have separate engines at separate addresses', async () => {
    const both = [await start({ count: 1 }), await start({ count: 1 })];
    const [first, second] = await Promise.all(both.map(engineOf));
    expect([first!.state, second!.state]).toEqual([EngineState.ENGINE_STATE_READY, EngineState.ENGINE_STATE_READY]);
    expect(first!.address).not.toBe(second!.address);
    expect(first!.instanceId).not.toBe(second!.instanceId);
  });

  it('leave no files or processes of their engines', async () => {
    await start({ count: 1 }); // has port 50061, if it is free
    const router = await start({ count: 1 });
    const folder = dirname((await engineOf(router)).address.replace('unix:', ''));
    expect(existsSync(folder)).toBe(true);
    await router.stop();
    expect(existsSync(folder)).toBe(false);
  });
});

describe('a router with setting spawn.base_port, if that port is in use', () => {
  it('does not use another router’s engine, reports why it has none, and starts it when the port is free', async () => {
    const [port] = await freePorts(1);
    const spawn = { count: 1, base_port: port };
    const first = await start(spawn);
    const second = await start(spawn);
    const { state, stateReason } = await engineOf(second);
    expect(state).toBe(EngineState.ENGINE_STATE_DOWN);
    expect(stateReason).toMatch(
      new RegExp(`its process has ended: exit code 1: cannot listen on "127.0.0.1:${port}": the address is in use`),
    );
    expect((await engineOf(first)).state).toBe(EngineState.ENGINE_STATE_READY);
    await first.stop();
    const isReady = async (): Promise<boolean> => (await engineOf(second)).state === EngineState.ENGINE_STATE_READY;
    await until(isReady, { what: 'the second router to have an engine', timeoutMs: 20_000 });
  }, 90_000);
});
