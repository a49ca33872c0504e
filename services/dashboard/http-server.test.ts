import { afterEach, describe, expect, it } from '@jest/globals';
import type { CancelSignal } from '../core/cancel.ts';
import { HOSTILE, TRACE_ID, fakeSources } from '../../test/fakes/fake-dashboard.ts';
import { type HttpResponse, dashboardServer, sendHttp } from '../../test/support/dashboard-server.ts';
import { until } from '../../test/support/until.ts';
import { type HttpServer, MAX_CONNECTIONS } from './http-server.ts';
import type { DashboardSources } from './sources.ts';

let server: HttpServer;
let address: string;
let internalErrors: unknown[];

async function start(sources: Partial<DashboardSources> = {}): Promise<void> {
  internalErrors = [];
  server = dashboardServer(sources, { onInternalError: (_path, error) => internalErrors.push(error) });
  address = await server.start();
}

afterEach(async () => {
  await server.stop(0);
});

function send(path: string, method?: string, headers?: Record<string, string>, body?: string): Promise<HttpResponse> {
  return sendHttp(address, path, method, headers, body);
}

describe('pages', () => {
  it('are served with all files that they load', async () => {
    await start();
    const page = await send('/');
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    const loaded = [...page.body.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path!);
    expect(loaded).toContain('/assets/uPlot.iife.min.js');
    for (const path of loaded) expect([path, (await send(path)).status]).toEqual([path, 200]);
    expect(page.body).not.toMatch(/https?:\/\//);
  });

  it('forbid content of other sites, frames and guessed types', async () => {
    await start();
    for (const path of ['/', '/assets/app.js', '/api/snapshot', '/healthz', '/nowhere']) {
      const { headers } = await send(path);
      expect(headers['content-security-policy']).toMatch(/^default-src 'none'.*frame-ancestors 'none'$/);
      expect(headers['content-security-policy']).not.toMatch(/unsafe|\*|https?:/);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'x-frame-options': 'DENY',
      });
    }
  });

  it('are not sent again if the client has them', async () => {
    await start();
    const { headers } = await send('/assets/app.js');
    const again = await send('/assets/app.js', 'GET', { 'If-None-Match': String(headers['etag']) });
    expect([again.status, again.body]).toEqual([304, '']);
  });

  it.each([
    '/assets/../http-server.ts',
    '/assets/..%2fhttp-server.ts',
    '/assets/%2e%2e/http-server.ts',
    '/assets/pages/../../http-server.ts',
    '/assets//etc/passwd',
    '/assets/',
    '/assets/index.html',
    '/assets/constructor',
    '/../package.json',
    '/package.json',
    '/api/',
    '/%',
  ])('do not include %s', async (path) => {
    await start();
    expect((await send(path)).status).toBe(404);
  });
});

describe('probes', () => {
  it('report that the process runs and that it is ready', async () => {
    await start();
    expect(await send('/healthz')).toMatchObject({ status: 200, body: 'ok\n' });
    expect(await send('/readyz')).toMatchObject({ status: 200, body: '1 of 2 engines ready for toy/1\n' });
  });

  it('report why it is not ready', async () => {
    await start({ readiness: () => ({ isReady: false, why: 'engine-1: down: connection refused' }) });
    expect(await send('/readyz')).toMatchObject({ status: 503, body: 'engine-1: down: connection refused\n' });
    expect(await send('/healthz')).toMatchObject({ status: 200 });
  });

  it('serve metrics if there is an exposition', async () => {
    await start();
    expect((await send('/metrics')).status).toBe(404);
    await server.stop(0);
    await start({
      exposition: async (accept) => ({ contentType: 'text/plain; version=0.0.4', body: `# ${accept}\n` }),
    });
    expect(await send('/metrics', 'GET', { Accept: 'text/plain' })).toMatchObject({
      status: 200,
      headers: { 'content-type': 'text/plain; version=0.0.4' },
      body: '# text/plain\n',
    });
  });
});

describe('methods', () => {
  it('HEAD returns the same status as GET, without a body', async () => {
    await start();
    for (const path of ['/', '/healthz', '/api/snapshot', '/api/stream']) {
      const got = await send(path, 'HEAD');
      expect([path, got.status, got.body]).toEqual([path, 200, '']);
    }
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])(
    '%s is refused for a path that only has GET',
    async (method) => {
      await start();
      expect(await send('/api/snapshot', method)).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    },
  );

  it('GET is refused for a path that only has POST', async () => {
    await start();
    expect(await send('/api/reason')).toMatchObject({ status: 405, headers: { allow: 'POST' } });
  });
});

describe('the JSON API', () => {
  it('returns the state with all names unchanged', async () => {
    await start();
    const snapshot = JSON.parse((await send('/api/snapshot')).body) as {
      inputs: { count: number; errors: number };
      alerts: { name: string; text: string }[];
      client: object;
      engines: { id: string; state: string; why: string }[];
    };
    expect(snapshot.inputs).toEqual({ count: 101, errors: 1 });
    expect(snapshot.alerts).toMatchObject([{ name: 'TandemEngineDown', text: expect.stringContaining(HOSTILE) }]);
    expect(snapshot.client).toEqual({ address: '127.0.0.1:50077', flags: '' });
    expect(snapshot.engines[1]).toMatchObject({ id: HOSTILE, state: 'DOWN', why: 'down: connection refused' });
  });

  it.each([
    '/api/traces',
    `/api/traces/${TRACE_ID}`,
    '/api/disputes',
    '/api/models',
    '/api/sessions',
    '/api/sessions/7/spikes',
    '/api/events?limit=5',
    '/api/history?seconds=900',
    `/api/traces?id=${TRACE_ID.slice(0, 6)}&kind=own&errors=true&min_ms=2&model=toy&before=7`,
  ])('answers %s with JSON', async (path) => {
    await start();
    const got = await send(path);
    expect([got.status, got.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
    expect(Object.keys(JSON.parse(got.body) as object)).not.toEqual([]);
  });

  it.each([
    ['/api/traces/xyz', 400, 'INVALID_FIELD'],
    ['/api/traces/../../etc', 404, 'NOT_FOUND'],
    [`/api/traces/${'a'.repeat(32)}`, 404, 'UNKNOWN_TRACE'],
    ['/api/sessions/8/spikes', 404, 'SESSION_UNKNOWN'],
    ['/api/traces?limit=0', 400, 'INVALID_FIELD'],
    ['/api/traces?limit=1e9', 400, 'INVALID_FIELD'],
    ['/api/traces?id=xyz', 400, 'INVALID_FIELD'],
    ['/api/traces?kind=other', 400, 'INVALID_FIELD'],
    ['/api/traces?min_ms=-1', 400, 'INVALID_FIELD'],
    ['/api/traces?before=', 400, 'INVALID_FIELD'],
    [`/api/traces?model=${'m'.repeat(201)}`, 400, 'INVALID_FIELD'],
    ['/api/history', 400, 'INVALID_FIELD'],
    ['/api/history?seconds=1', 400, 'INVALID_FIELD'],
    ['/api/history?seconds=3601', 400, 'INVALID_FIELD'],
    ['/docs/../package.json', 404, 'NOT_FOUND'],
    ['/docs/none', 404, 'NOT_FOUND'],
    ['/docs/constructor', 404, 'NOT_FOUND'],
    ['/api/events?limit=all', 400, 'INVALID_FIELD'],
    ['/api/models/none/1/samples', 404, 'UNKNOWN_MODEL'],
    ['/api/models/%/1/samples', 404, 'UNKNOWN_MODEL'],
    ['/api/models/toy/x/samples', 404, 'NOT_FOUND'],
  ])('refuses %s', async (path, status, reason) => {
    await start();
    const got = await send(path);
    expect([got.status, JSON.parse(got.body)]).toEqual([status, expect.objectContaining({ reason })]);
  });

  it('does not link to a trace that is no longer stored', async () => {
    const { traces } = fakeSources();
    await start({ traces: { ...traces, has: () => false } });
    const [event] = (JSON.parse((await send('/api/events')).body) as { events: { traceId: string }[] }).events;
    const [dispute] = (JSON.parse((await send('/api/disputes')).body) as { disputes: { traceId: string }[] }).disputes;
    expect([event?.traceId, dispute?.traceId]).toEqual(['', '']);
  });

  it('replays a dispute as a vote without the cache and does not show the input', async () => {
    const requests: unknown[] = [];
    const reason = async (request: unknown): Promise<{ code: string; body: object }> => {
      requests.push(request);
      return { code: 'OK', body: { requestId: 'r' } };
    };
    await start({ reason });
    expect((await send('/api/disputes/7/replay', 'POST')).status).toBe(200);
    expect(requests).toEqual([
      {
        ...{ model: 'toy', modelVersion: 1, strategy: 'STRATEGY_REDUNDANT', cache: 'CACHE_MODE_BYPASS' },
        ...{ detail: 'DETAIL_RASTER', tensor: { shape: [2], dtype: 'FP32', data: 'AAAAAAAAAAA=' } },
      },
    ]);
    expect((await send('/api/disputes/7/replay')).status).toBe(405);
    expect((await send('/api/disputes/8/replay', 'POST')).status).toBe(404);
    expect((await send('/api/disputes')).body).not.toContain('AAAAAAAAAAA=');
  });

  it('does not replay a dispute if requests from the dashboard are disabled', async () => {
    await start();
    const got = await send('/api/disputes/7/replay', 'POST');
    expect([got.status, JSON.parse(got.body)]).toEqual([403, expect.objectContaining({ reason: 'TRY_REQUESTS_OFF' })]);
    const [dispute] = (JSON.parse((await send('/api/disputes')).body) as { disputes: object[] }).disputes;
    expect(dispute).toMatchObject({ id: '7', canReplay: false });
  });

  it('returns the samples of a model', async () => {
    await start();
    expect(JSON.parse((await send('/api/models/toy/1/samples')).body)).toEqual({
      samples: [{ name: HOSTILE, shape: [2], data: 'AAAAAAAAAAA=', stateDigest: '0000000000001234' }],
    });
  });

  it('reports an internal error only to the log', async () => {
    const fault = new Error('secret');
    await start({
      router: {
        get strategy(): string {
          throw fault;
        },
      },
    });
    const got = await send('/api/snapshot');
    expect([got.status, got.body.includes('secret')]).toEqual([500, false]);
    expect(internalErrors).toEqual([fault]);
  });
});

const MAX_STREAMS = MAX_CONNECTIONS / 4;

describe('the stream', () => {
  /** Opens a stream and returns the text received so far. */
  async function open(): Promise<{ text: () => string; status: number; close: () => void }> {
    const controller = new AbortController();
    const response = await fetch(`http://${address}/api/stream`, { signal: controller.signal });
    let said = '';
    void (async () => {
      for await (const chunk of response.body!) said += Buffer.from(chunk as Uint8Array).toString();
    })().catch(() => undefined);
    return { text: () => said, status: response.status, close: () => controller.abort() };
  }

  it('sends snapshots every second, limits its clients and does no work without one', async () => {
    let read = 0;
    const { client } = fakeSources();
    await start({
      client: () => {
        read += 1;
        return client();
      },
    });
    const streams = await Promise.all(Array.from({ length: MAX_STREAMS }, open));
    await until(() => streams.every(({ text }) => text().split('data: ').length >= 3), { what: 'the second snapshot' });
    expect(read).toBeLessThan(2 * MAX_STREAMS); // one per stream at once, then one for all
    const refused = await send('/api/stream');
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5']);

    for (const { close } of streams) close();
    await until(async () => (await send('/api/stream', 'HEAD')).status === 200, { what: 'room for another' });
    const atRest = read;
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(read).toBe(atRest);
  });

  it('ends when the server stops', async () => {
    await start();
    const { text } = await open();
    await until(() => text().includes('data: '), { what: 'the first snapshot' });
    await server.stop(5_000);
    await start();
  });
});

describe('a request from the dashboard', () => {
  const JSON_TYPE = { 'Content-Type': 'application/json' };
  const answering = { reason: async (request: unknown) => ({ code: 'OK', body: { got: request } }) };

  it('is refused unless it is enabled', async () => {
    await start();
    const got = await send('/api/reason', 'POST', JSON_TYPE, '{}');
    expect([got.status, got.body]).toEqual([403, expect.stringContaining('dashboard.try_requests')]);
  });

  it('is passed on, and its answer is returned', async () => {
    await start(answering);
    const own = { ...JSON_TYPE, Origin: `http://${address}` };
    expect(await send('/api/reason', 'POST', own, '{"model":"toy"}')).toMatchObject({
      status: 200,
      body: '{"got":{"model":"toy"}}',
    });
  });

  it.each([
    ['a page of another site', 403, { ...JSON_TYPE, Origin: 'http://evil.example' }, '{}'],
    ['a page without a site', 403, { ...JSON_TYPE, Origin: 'null' }, '{}'],
    ['a form', 415, { 'Content-Type': 'text/plain' }, '{}'],
    ['a body that is not JSON', 400, JSON_TYPE, '{'],
    ['a body above the limit', 413, JSON_TYPE, `"${'a'.repeat(1_000)}"`],
    ['a body above the limit, in chunks', 413, { ...JSON_TYPE, 'Transfer-Encoding': 'chunked' }, 'a'.repeat(2_000)],
  ])('is refused: %s', async (_what, status, headers, body) => {
    await start(answering);
    expect((await send('/api/reason', 'POST', headers as Record<string, string>, body)).status).toBe(status);
  });

  it.each([
    ['INVALID_ARGUMENT', 400],
    ['RESOURCE_EXHAUSTED', 429],
    ['UNAVAILABLE', 503],
    ['INTERNAL', 500],
  ])('that fails with %s has status %d', async (code, status) => {
    await start({ reason: async () => ({ code, body: {} }) });
    expect((await send('/api/reason', 'POST', JSON_TYPE, '{}')).status).toBe(status);
  });

  it('is cancelled when the client disconnects', async () => {
    let signal: CancelSignal | undefined;
    await start({
      reason: (_request, context) => {
        ({ signal } = context);
        return new Promise(() => undefined);
      },
    });
    const controller = new AbortController();
    const response = fetch(`http://${address}/api/reason`, {
      ...{ method: 'POST', headers: JSON_TYPE, body: '{}', signal: controller.signal },
    });
    await until(() => signal, { what: 'the request to arrive' });
    controller.abort();
    await expect(response).rejects.toThrow();
    await until(() => signal?.aborted, { what: 'the cancellation' });
  });
});
