import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { dashboardServer, sendHttp, sendRaw } from '../../test/support/dashboard-server.ts';
import { until } from '../../test/support/until.ts';
import { ConnectionLimit } from '../core/connection-limit.ts';
import type { HttpServer, HttpServerOptions } from './http-server.ts';
import type { DashboardSources } from './sources.ts';

let server: HttpServer;
let address: string;

async function start(sources: Partial<DashboardSources> = {}, over: Partial<HttpServerOptions> = {}): Promise<void> {
  server = dashboardServer(sources, over);
  address = await server.start();
}

afterEach(async () => {
  await server.stop(0);
});

describe('the HTTP server', () => {
  it('refuses a long URL and long headers', async () => {
    await start();
    expect((await sendHttp(address, `/?${'a'.repeat(3_000)}`)).status).toBe(414);
    expect(await sendRaw(address, `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431/,
    );
  });

  it('refuses bytes that are not HTTP', async () => {
    await start();
    expect(await sendRaw(address, 'hello\r\n\r\n')).toMatch(/^HTTP\/1.1 400/);
  });

  it.each(['127.0.0.1:0', '0.0.0.0:0'])(
    'refuses a host name that is neither local nor listed, on %s',
    async (listen) => {
      await start({}, { listen, hosts: ['tandem.example'] });
      address = address.replace('0.0.0.0', '127.0.0.1');
      expect((await sendHttp(address, '/', 'GET', { Host: 'evil.example' })).status).toBe(421);
      for (const host of ['localhost:9', '127.0.0.1', '[::1]:8080', '10.0.0.7:8080', 'tandem.example']) {
        expect([host, (await sendHttp(address, '/', 'GET', { Host: host })).status]).toEqual([host, 200]);
      }
    },
  );
});

describe('a request body', () => {
  const JSON_TYPE = { 'Content-Type': 'application/json' };

  it('as JSON may have 262,144 bytes', async () => {
    await start({ reason: async () => ({ code: 'OK', body: {} }) }, { maxBodyBytes: 1_000_000 });
    const status = async (bytes: number): Promise<number | undefined> =>
      (await sendHttp(address, '/api/reason', 'POST', JSON_TYPE, `"${'a'.repeat(bytes - 2)}"`)).status;
    expect([await status(262_144), await status(262_145)]).toEqual([200, 413]);
  });

  it('is refused while others of the peer hold many bytes, and is taken after they end', async () => {
    const { promise, resolve } = Promise.withResolvers<{ code: string; body: object }>();
    await start({ reason: () => promise }, { maxBodyBytes: 1_000 });
    const post = (): ReturnType<typeof sendHttp> =>
      sendHttp(address, '/api/reason', 'POST', JSON_TYPE, `"${'a'.repeat(998)}"`);
    const statuses: (number | undefined)[] = [];
    const all = Array.from({ length: 10 }, async () => statuses.push((await post()).status));
    // Half of 16 bodies of maximum size are in memory.
    await until(() => statuses.length === 2, { what: 'two refusals' });
    expect(statuses).toEqual([429, 429]);
    resolve({ code: 'OK', body: {} });
    await Promise.all(all);
    expect(statuses.slice(2)).toEqual(Array(8).fill(200));
    expect((await post()).status).toBe(200);
  });
});

describe('an address in use', () => {
  it('is reported with the setting', async () => {
    await start();
    await expect(dashboardServer({}, { listen: address }).start()).rejects.toThrow(
      `cannot serve the dashboard on ${address}: something else listens there; set http_listen to another "host:port"`,
    );
  });
});

describe('connections with a limit', () => {
  const MAX = 8;
  const open: Socket[] = [];

  afterEach(() => {
    for (const socket of open.splice(0)) socket.destroy();
  });

  async function openEach(count: number, bytes: string): Promise<Socket[]> {
    const [host = '', port] = address.split(':');
    const opened = await Promise.all(
      Array.from({ length: count }, async () => {
        const socket = connect(Number(port), host);
        socket.on('error', () => undefined);
        await once(socket, 'connect');
        socket.resume().write(bytes);
        return socket;
      }),
    );
    open.push(...opened);
    return opened;
  }

  it.each([
    ['send nothing', ''],
    ['send only a part of their headers', 'GET /readyz HT'],
    [
      'never send their body',
      `POST /api/reason HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n`,
    ],
    ['stay open after their answer', 'GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ])('that %s do not block a probe', async (_what, bytes) => {
    await start({ reason: async () => ({ code: 'OK', body: {} }) }, { connections: new ConnectionLimit(MAX) });
    const slow = await openEach(3 * MAX, bytes);
    for (let k = 0; k < 3; k += 1) expect((await sendHttp(address, '/readyz')).status).toBe(200);
    expect(slow.filter(({ destroyed, readableEnded }) => !destroyed && !readableEnded).length).toBeLessThanOrEqual(MAX);
  });

  it('are not reported as full if the port is in use', async () => {
    await start();
    const reports: boolean[] = [];
    const connections = new ConnectionLimit(MAX, (isFull) => reports.push(isFull));
    await expect(dashboardServer({}, { listen: address, connections }).start()).rejects.toThrow(
      'something else listens there',
    );
    expect(reports).toEqual([]);
  });

  it('are not closed while their request is being answered', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const reason = async (): Promise<{ code: string; body: unknown }> => {
      await promise;
      return { code: 'OK', body: {} };
    };
    await start({ reason }, { connections: new ConnectionLimit(MAX) });
    const waiting = sendHttp(address, '/api/reason', 'POST', { 'Content-Type': 'application/json' }, '{}');
    await openEach(3 * MAX, '');
    await sendHttp(address, '/readyz');
    resolve(undefined);
    expect((await waiting).status).toBe(200);
  });

  it('are not all used by requests that wait for an engine', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const reason = async (): Promise<{ code: string; body: unknown }> => {
      await promise;
      return { code: 'OK', body: {} };
    };
    await start({ reason }, { connections: new ConnectionLimit(MAX) });
    const responses = Array.from({ length: MAX }, () =>
      sendHttp(address, '/api/reason', 'POST', { 'Content-Type': 'application/json' }, '{}'),
    );
    expect((await sendHttp(address, '/readyz')).status).toBe(200);
    resolve(undefined);
    const statuses = (await Promise.all(responses)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 200, 200, 200, 429, 429, 429, 429]);
  });
});
