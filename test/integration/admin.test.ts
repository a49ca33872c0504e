// The administrative listener, on both edges: who has access, and how it answers for addresses that callers name.
import { chmodSync, existsSync, mkdtempSync, statSync } from 'node:fs';
import { type Server, type Socket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Strategy } from '../../services/generated/tandem/v1/types.ts';
import { Operator } from '../support/operator.ts';
import { readHeldout } from '../support/heldout.ts';
import { run } from '../support/process.ts';
import { refusalOf } from '../support/refusal.ts';
import { startRouter } from '../support/router-process.ts';
import { EDGES } from '../support/serve.ts';
import { startSidecar } from '../support/sidecar.ts';
import { type System, startSystem } from '../support/system.ts';
import { SUPERSENSE } from '../support/models.ts';

const QUIET = { spawn: { count: 0 } };
const FORBIDDEN = { code: 'PERMISSION_DENIED', reason: 'ADMIN_FORBIDDEN' };

describe.each(EDGES)('the administrative listener on edge %s', (edge) => {
  let system: System;
  let owner: Operator;
  let stranger: Operator;

  beforeAll(async () => {
    system = await startSystem({ edge, ...QUIET });
    owner = new Operator(system.adminAddress);
    stranger = new Operator(system.address);
  });

  afterAll(async () => {
    owner.close();
    stranger.close();
    await system.stop();
    expect(existsSync(system.adminAddress.slice('unix:'.length))).toBe(false);
  });

  it('is a socket in a folder that only its owner can access', () => {
    const { mode } = statSync(dirname(system.adminAddress.slice('unix:'.length)));
    expect(mode & 0o777).toBe(0o700);
  });

  it('accepts changes; the public address refuses them and says what to do', async () => {
    const { message, ...refusal } = await refusalOf(stranger.setStrategy(Strategy.STRATEGY_FASTEST));
    expect(refusal).toMatchObject(FORBIDDEN);
    expect(message).toMatch(/socket of setting admin\.listen.*role operate in setting auth/);
    expect(await owner.setStrategy(Strategy.STRATEGY_FASTEST)).toBe(Strategy.STRATEGY_ROUND_ROBIN);
    expect(await stranger.strategy()).toBe(Strategy.STRATEGY_FASTEST);
  });

  it('refuses a second router with the same socket', async () => {
    const again = startSystem({ edge, ...QUIET, admin: { listen: system.adminAddress } });
    await expect(again).rejects.toThrow('something else listens there');
  });
});

describe('a router', () => {
  it('does not start with a socket in a folder that others can access', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-open-'));
    chmodSync(folder, 0o750);
    const starting = startSystem({ ...QUIET, admin: { listen: `unix:${folder}/router.sock` } });
    await expect(starting).rejects.toThrow(`other users may enter ${folder}; run "chmod 700 ${folder}"`);
  });

  it('does not exist if setting admin.listen is off', async () => {
    const system = await startSystem({ ...QUIET, admin: { listen: 'off' } });
    const operator = new Operator(system.address);
    expect(system.adminAddress).toBe('');
    expect(await refusalOf(operator.resetMetrics())).toMatchObject(FORBIDDEN);
    operator.close();
    await system.stop();
  });
});

describe('RegisterEngine', () => {
  const servers: Server[] = [];
  const sockets: Socket[] = [];
  let system: System;
  let operator: Operator;

  beforeAll(async () => {
    system = await startSystem(QUIET);
    operator = new Operator(system.adminAddress);
  });

  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  afterAll(async () => {
    operator.close();
    await system.stop();
  });

  /** The answer about an address, and the seconds until it, at first and later. */
  async function listed(id: string, address: string): Promise<unknown[]> {
    const beganMs = performance.now();
    const { state, stateReason } = await operator.register(id, address);
    const seconds = Math.floor((performance.now() - beganMs) / 900);
    const later = await operator.engine(id);
    await operator.remove(id);
    return [state, stateReason, later.stateReason, seconds];
  }

  async function listen(onConnection: (socket: Socket) => void): Promise<string> {
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      onConnection(socket);
    }).listen(0, '127.0.0.1');
    servers.push(server);
    await new Promise((resolve) => server.once('listening', resolve));
    return `127.0.0.1:${(server.address() as { port: number }).port}`;
  }

  it('gives the same answer for a closed port, an open one, and one with another protocol', async () => {
    const closed = await listen(() => undefined);
    servers.splice(0).forEach((server) => server.close());
    const open = await listen(() => undefined);
    const http = await listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const [first, ...others] = [await listed('a', closed), await listed('b', open), await listed('c', http)];
    expect(others).toEqual([first, first]);
  });

  it.each(['169.254.169.254:80', 'metadata.internal:80', '8.8.8.8:53'])('connects to no %s', async (address) => {
    const refusal = await refusalOf(operator.register('far', address));
    expect(refusal).toMatchObject({ reason: 'INVALID_FIELD', field: 'address' });
    expect(refusal.message).toContain('admin.engine_addresses');
  });

  it('accepts a limited number a second', async () => {
    const tries = Array.from({ length: 12 }, () => refusalOf(operator.register('far', '8.8.8.8:53')));
    const refusals = await Promise.all(tries);
    const late = refusals.filter(({ reason }) => reason === 'ENGINE_LIMIT');
    expect(late.length).toBeGreaterThan(3);
    expect(late[0]).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    expect(late[0]!.retryAfterMs).toBeGreaterThan(0);
  });
});

it('engines that a caller registers answer like others', async () => {
  const sidecar = await startSidecar(SUPERSENSE);
  const system = await startSystem({ ...QUIET, local: { enabled: false } });
  const operator = new Operator(system.adminAddress);
  await operator.register('extra', sidecar.address);
  const [item] = readHeldout();
  const { engine } = await system.reason({ tensor: { shape: [768], dtype: 'FP32', data: item!.data } });
  expect(engine?.engineId).toBe('extra');
  operator.close();
  await Promise.all([system.stop(), sidecar.stop()]);
});

it('the command line finds the default socket of a router', async () => {
  const env = { XDG_RUNTIME_DIR: mkdtempSync(join(tmpdir(), 'tandem-runtime-')) };
  const router = await startRouter({ admin: {} }, env);
  const args = ['engines', 'strategy', 'FASTEST', '--address', router.address];
  const { stdout } = await run('services/cli/main.ts', args, { env }).finished;
  expect(stdout).toBe('strategy FASTEST, before ROUND_ROBIN\n');
  await router.stop();
});
