// Attacks on the HTTP port. None of them works, at any address: under compose the port is open to a network.
import { once } from 'node:events';
import { type IncomingHttpHeaders, request as httpRequest } from 'node:http';
import { type Socket, connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type System, startSystem } from '../support/system.ts';

const sockets: Socket[] = [];
let system: System;
let port: number;

beforeAll(async () => {
  system = await startSystem({
    ...{ http_listen: '0.0.0.0:0', insecure: true, spawn: { count: 0 } },
    dashboard: { try_requests: true, hosts: ['tandem.example'] },
    max_message_bytes: 65_536,
  });
  port = Number(/:(\d+)$/.exec(system.httpAddress)![1]);
});

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

afterAll(() => system.stop());

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask(path: string, headers: Record<string, string> = {}, method = 'GET', body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, body: Buffer.concat(chunks).toString() });
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

async function open(from = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, localAddress: from });
  socket.on('error', () => undefined);
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** The first bytes of the answer to invalid HTTP. */
async function raw(bytes: string): Promise<string> {
  const socket = await open();
  socket.write(bytes);
  let text = '';
  for await (const chunk of socket) {
    text += String(chunk);
    if (text.includes('\r\n\r\n')) break;
  }
  return text;
}

const POST = { 'Content-Type': 'application/json' };

describe('DNS rebinding', () => {
  it.each([
    'evil.example',
    'evil.example:8080',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'tandem.example.evil.example',
    'tandem.example@evil.example',
    '2130706433',
  ])('by host "%s" reads nothing', async (Host) => {
    for (const path of ['/', '/metrics', '/api/snapshot']) expect((await ask(path, { Host })).status).toBe(421);
    expect((await ask('/api/reason', { Host, ...POST }, 'POST', '{}')).status).toBe(421);
  });

  it('without a host reads nothing', async () => {
    expect(await raw('GET /metrics HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 421/);
    expect(await raw('GET /metrics HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1\.1 400/);
  });

  it('does not block probes and listed names', async () => {
    expect((await ask('/healthz', { Host: 'some-load-balancer' })).status).toBe(200);
    expect((await ask('/metrics', { Host: 'tandem.example:8080' })).status).toBe(200);
  });
});

describe('a page of another site', () => {
  it.each([
    ['its origin', { Origin: 'http://evil.example' }],
    ['an origin that is hidden', { Origin: 'null' }],
    ['an origin with the same beginning', { Origin: 'http://127.0.0.1.evil.example' }],
    ['another port of this machine', { Origin: 'http://127.0.0.1:1' }],
    ['no origin, but the browser’s Sec-Fetch-Site', { 'Sec-Fetch-Site': 'cross-site' }],
  ])('cannot call a model with %s', async (_what, headers) => {
    expect((await ask('/api/reason', { ...POST, ...headers }, 'POST', '{}')).status).toBe(403);
  });

  it('cannot send a form', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      expect((await ask('/api/reason', { 'Content-Type': type }, 'POST', '{}')).status).toBe(415);
    }
  });

  it('gets no permission to read', async () => {
    const preflight = { Origin: 'http://evil.example', 'Access-Control-Request-Method': 'POST' };
    const answers = [await ask('/api/reason', preflight, 'OPTIONS'), await ask('/metrics', preflight)];
    for (const { headers } of answers) expect(Object.keys(headers).join()).not.toMatch(/access-control/);
  });

  it.each(['/', '/metrics', '/nothing', '/assets/app.js'])('cannot frame %s or use it as a script', async (path) => {
    const { headers } = await ask(path);
    expect(headers).toMatchObject({
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['content-security-policy']).not.toContain('unsafe');
  });
});

it('no page has an inline script', async () => {
  const { body } = await ask('/');
  expect(body).not.toMatch(/<script(?![^>]*\bsrc="\/assets\/)/);
  expect(body).not.toMatch(/\son\w+=|javascript:|\sstyle="/i);
});

describe('a path', () => {
  it.each([
    '/assets/../../package.json',
    '/assets/..%2f..%2fpackage.json',
    '/assets/%2e%2e/%2e%2e/package.json',
    '/assets/..\\..\\package.json',
    '/assets//etc/passwd',
    '/assets/app.js%00.css',
    '//evil.example/',
    'http://evil.example/metrics',
  ])('such as %s does not leave the folder', async (path) => {
    expect((await ask(path)).status).toBe(404);
  });
});

describe('a request', () => {
  it('with two lengths is refused', async () => {
    const smuggled =
      'POST /api/reason HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
    expect(await raw(smuggled)).toMatch(/^HTTP\/1\.1 400/);
  });

  it('with endless headers is refused', async () => {
    expect(await raw(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(70_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431/,
    );
  });

  it('with a body beyond the limit is refused', async () => {
    expect((await ask('/api/reason', POST, 'POST', `"${'a'.repeat(70_000)}"`)).status).toBe(413);
  });

  it.each(['PUT', 'DELETE', 'TRACE', 'PATCH'])('by %s changes nothing', async (method) => {
    expect((await ask('/metrics', {}, method)).status).toBe(405);
  });

  it('with a header for another method keeps its method', async () => {
    expect((await ask('/api/reason', { 'X-HTTP-Method-Override': 'POST' })).status).toBe(405);
  });
});

it('many slow connections block neither probes nor Prometheus', async () => {
  const slow = Array.from({ length: 200 }, () => open('127.0.0.2'));
  for (const socket of await Promise.all(slow)) socket.write('GET /metrics HT');
  const over = new AbortController();
  const renewing = (async (): Promise<void> => {
    while (!over.signal.aborted) (await open('127.0.0.2')).write('G');
  })();
  for (const path of ['/readyz', '/metrics', '/readyz', '/metrics']) expect((await ask(path)).status).toBe(200);
  over.abort();
  await renewing;
});
