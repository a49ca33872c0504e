// A router without a free file descriptor stays alive, and serves again as soon as there are some.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { type Socket, connect } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ReasonRequest, ReasoningServiceClient } from '../../services/generated/tandem/v1/reasoning.ts';
import { CacheMode } from '../../services/generated/tandem/v1/types.ts';
import { readHeldout } from '../support/heldout.ts';
import { freePorts } from '../support/free-ports.ts';
import { type RouterProcess, startRouter } from '../support/router-process.ts';
import { until } from '../support/until.ts';

const [item] = readHeldout();
const request = ReasonRequest.fromPartial({
  tensor: { shape: [768], dtype: 'FP32', data: item!.data },
  cache: CacheMode.CACHE_MODE_BYPASS,
});

let router: RouterProcess;
const sockets: Socket[] = [];
const clients: ReasoningServiceClient[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const client of clients.splice(0)) client.close();
  expect(await router.stop()).toBe(0);
});

/** Over a separate connection, unless `client` is given. Resolves with the name of the status. */
function reason(client = newClient(), deadlineMs = 5_000): Promise<string> {
  return new Promise((resolve) => {
    const options = { deadline: Date.now() + deadlineMs };
    client.reason(request, new grpc.Metadata(), options, (error) =>
      resolve(grpc.status[error?.code ?? 0] ?? 'UNKNOWN'),
    );
  });
}

function newClient(): ReasoningServiceClient {
  const options = { 'grpc.use_local_subchannel_pool': 1 };
  const client = new ReasoningServiceClient(router.address, grpc.credentials.createInsecure(), options);
  clients.push(client);
  return client;
}

/** Connections that never send anything. */
async function openSilent(address: string, count: number): Promise<void> {
  const [host = '', port] = address.split(':');
  for (let k = 0; k < count; k += 1) {
    const socket = connect(Number(port), host);
    socket.on('error', () => undefined);
    sockets.push(socket);
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
  }
}

function openFiles(): number {
  return readdirSync(`/proc/${router.pid}/fd`).length;
}

describe('more connections than a process may have files', () => {
  it('leave a reserve, block no caller, and are reported once', async () => {
    router = await startRouter({ http_listen: '127.0.0.1:0', log_level: 'warn' }, {}, 256);
    await openSilent(router.httpAddress, 200);
    await openSilent(router.address, 400);
    expect(openFiles()).toBeLessThan(256 - 64);
    expect(await reason()).toBe('OK');
    expect((await fetch(`http://${router.httpAddress}/readyz`)).status).toBe(200);
    const events = router
      .log()
      .split('\n')
      .filter((line) => line.includes('the connection limit is reached'));
    expect(events.map((line) => (JSON.parse(line) as { server: string }).server).sort()).toEqual(['grpc', 'http']);
  }, 90_000);
});

describe('a router that has no file descriptor left', () => {
  function limitFiles(files: number): void {
    execFileSync('prlimit', ['--pid', String(router.pid), `--nofile=${files}:`]);
  }

  it('serves connected callers, survives its own file operations, and accepts new callers as soon as there is room', async () => {
    const [port] = await freePorts(1);
    router = await startRouter({
      http_listen: '127.0.0.1:0',
      log_level: 'info',
      spawn: { count: 1, base_port: port },
      alerts: { interval_ms: 100, for_ms: 100 },
    });
    const connected = newClient();
    expect(await reason(connected)).toBe('OK');
    const files = Number(/Max open files\s+(\d+)/.exec(readFileSync(`/proc/${router.pid}/limits`, 'utf8'))![1]);

    limitFiles(3);
    const [, sidecar] =
      /"pid":(\d+)[^\n]*sidecar started/.exec(router.log()) ?? /sidecar started[^\n]*"pid":(\d+)/.exec(router.log())!;
    process.kill(Number(sidecar), 'SIGKILL'); // cannot be started again for now
    router.reload({ strategy: 'FASTEST' }); // cannot be read
    await openSilent(router.address, 20);
    const endMs = performance.now() + 1_500; // several checks of the alerts, and starts of the sidecar
    for (let sent = 0; performance.now() < endMs || sent < 20; sent += 1) expect(await reason(connected)).toBe('OK');
    await until(() => router.log().includes('no file descriptor is left'), { what: 'the log to say so' });
    expect(router.log()).toMatch(/settings refused/);

    limitFiles(files);
    const freeMs = performance.now();
    expect(await reason(undefined, 1_000)).toBe('OK');
    expect(performance.now() - freeMs).toBeLessThan(1_000);
    await until(() => (router.log().match(/sidecar started/g) ?? []).length > 1, { what: 'the sidecar to return' });
    expect(router.log()).not.toMatch(/bug/);
  }, 120_000);
});
