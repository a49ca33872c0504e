// All paths and their handlers. All except one only read.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CallContext } from '../core/inference.ts';
import { type Asset, readAssets } from './assets.ts';
import { type History, KEPT_MS } from './history.ts';
import { Docs } from './docs.ts';
import { toModels, toSamples } from './models.ts';
import { Refused, type Reply, json, refusal, text } from './reply.ts';
import { toSessions } from './sessions.ts';
import { toSnapshot } from './snapshot.ts';
import type { DashboardSources, DisputeView, EventView, ReasonReply } from './sources.ts';
import { toTraceFilter } from './traces.ts';
import type { Watchers } from './watchers.ts';

export interface RouteInput {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The captured parts of the path. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
  readonly context: CallContext;
  /** The whole body. Rejects with Refused if it is too long or not JSON. */
  readonly body: () => Promise<unknown>;
  /** The body as bytes, of any type. */
  readonly bytes: () => Promise<Buffer>;
}

/** Undefined: the route wrote its response itself. */
export type Handler = (input: RouteInput) => Reply | undefined | Promise<Reply | undefined>;

export interface Route {
  readonly path: RegExp;
  readonly method: 'GET' | 'POST';
  readonly handle: Handler;
}

const OPEN_INFERENCE = /^\/v2(?:\/.*)?$/;
const MAX_LISTED = 500;
const DEFAULT_LISTED = 100;
const MIN_HISTORY_S = 60;

/** gRPC status → HTTP status, as in google.rpc.Code. */
const HTTP_STATUS: Readonly<Record<string, number>> = {
  OK: 200,
  INVALID_ARGUMENT: 400,
  OUT_OF_RANGE: 400,
  NOT_FOUND: 404,
  ABORTED: 409,
  RESOURCE_EXHAUSTED: 429,
  CANCELLED: 499,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
};

/** `maxWaiting`: maximum requests that wait for an engine. */
export function dashboardRoutes(
  sources: DashboardSources,
  history: History,
  watchers: Watchers,
  maxWaiting: number,
): readonly Route[] {
  const assets = readAssets();
  const docs = new Docs();
  const get = (path: RegExp, handle: Handler): Route => ({ path, method: 'GET', handle });
  const list = (read: (limit: number, query: URLSearchParams) => object): Handler => {
    return ({ query }) => {
      const limit = Number(query.get('limit') ?? DEFAULT_LISTED);
      if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LISTED) return json(read(limit, query));
      return refusal(400, 'INVALID_FIELD', `limit must be a whole number from 1 to ${MAX_LISTED}`);
    };
  };
  return [
    get(/^\/$/, ({ request }) => asset(assets.get('/')!, request)),
    get(/^\/assets\/.+$/, ({ request, parts: [path = ''] }) => {
      const found = assets.get(path);
      return found === undefined ? notFound(path) : asset(found, request);
    }),
    get(/^\/docs\/([\w./-]*)$/, async ({ parts: [path = '', name = ''] }) => {
      const found = await docs.read(name);
      return found === undefined ? notFound(path) : { status: 200, ...found, headers: { 'Cache-Control': 'no-cache' } };
    }),
    get(/^\/healthz$/, () => text('ok')),
    get(/^\/readyz$/, () => {
      const { isReady, why } = sources.readiness();
      return text(why, isReady ? 200 : 503);
    }),
    get(/^\/metrics$/, async ({ request }) => {
      const exposition = await sources.exposition?.(request.headers.accept ?? '');
      if (exposition === undefined) return text('this router offers no Prometheus metrics', 404);
      return { status: 200, type: exposition.contentType, body: exposition.body };
    }),
    get(/^\/api\/snapshot$/, () => json(toSnapshot(sources, history))),
    get(/^\/api\/history$/, ({ query }) => {
      const seconds = Number(query.get('seconds') ?? NaN);
      if (seconds >= MIN_HISTORY_S && seconds <= KEPT_MS / 1_000) return json(history.chart(seconds));
      return refusal(400, 'INVALID_FIELD', `seconds must be from ${MIN_HISTORY_S} to ${KEPT_MS / 1_000}`);
    }),
    get(/^\/api\/stream$/, ({ request, response }) => {
      if (watchers.isFull) {
        const message = `${watchers.size} pages are open already, the maximum; close one, or use /api/snapshot`;
        return refusal(503, 'TOO_MANY_WATCHERS', message, { 'Retry-After': '5' });
      }
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      if (request.method === 'HEAD') response.end();
      else watchers.add(response);
      return undefined;
    }),
    get(
      /^\/api\/traces$/,
      list((limit, query) => sources.traces.list(toTraceFilter(query, limit))),
    ),
    get(/^\/api\/traces\/([^/]*)$/, ({ parts: [, id = ''] }) => {
      if (!/^[0-9a-f]{32}$/.test(id)) {
        return refusal(400, 'INVALID_FIELD', 'a trace id is 32 lower-case hexadecimal digits; see /api/traces');
      }
      const spans = sources.traces.spans(id);
      if (spans.length > 0) return json({ spans });
      return refusal(
        404,
        'UNKNOWN_TRACE',
        'there is no such trace; older ones are dropped for new ones, see /api/traces',
      );
    }),
    get(
      /^\/api\/disputes$/,
      list((limit) => ({ disputes: sources.disputes.recent(limit).map((each) => toDispute(each, sources)) })),
    ),
    {
      path: /^\/api\/disputes\/([\w-]+)\/replay$/,
      method: 'POST',
      handle: atMost(maxWaiting, (input) => replay(input, sources)),
    },
    get(
      /^\/api\/events$/,
      list((limit) => ({ events: sources.events.recent(limit).map((each) => toEvent(each, sources)) })),
    ),
    get(
      /^\/api\/sessions$/,
      list((limit) => toSessions(sources, limit)),
    ),
    get(/^\/api\/sessions\/(\d{1,15})\/spikes$/, ({ parts: [, serial = ''] }) => {
      const spikes = sources.sessions.spikes(Number(serial));
      return spikes ? json(spikes) : refusal(404, 'SESSION_UNKNOWN', 'this session is not open; see /api/sessions');
    }),
    get(/^\/api\/learning$/, async () => json({ students: await sources.learning() })),
    get(/^\/api\/models$/, () => json(toModels(sources))),
    get(/^\/api\/models\/([^/]+)\/(\d{1,9})\/samples$/, ({ parts: [, name = '', version = ''] }) => {
      const samples = toSamples(sources, decoded(name), Number(version));
      return samples ? json(samples) : refusal(404, 'UNKNOWN_MODEL', 'there is no such model version; see /api/models');
    }),
    { path: OPEN_INFERENCE, method: 'GET', handle: (input) => inference(input, sources) },
    { path: OPEN_INFERENCE, method: 'POST', handle: atMost(maxWaiting, (input) => inference(input, sources)) },
    { path: /^\/api\/reason$/, method: 'POST', handle: atMost(maxWaiting, (input) => reason(input, sources)) },
  ];
}

/** The part that is shown: an event may also carry a user's bytes. */
function toEvent(event: EventView, { traces }: DashboardSources): EventView {
  const { sequence, timeMs, topic, severity, text, data, count, traceId } = event;
  const ours = topic.startsWith('user.') ? {} : data;
  return { sequence, timeMs, topic, severity, text, data: ours, count, traceId: traces.has(traceId) ? traceId : '' };
}

/** A path for each file, so that no link is broken. */
function toDispute(dispute: DisputeView, { traces, disputes, reason }: DashboardSources): object {
  const { id, traceId } = dispute;
  const canReplay = reason !== undefined && disputes.input(id) !== undefined;
  return { ...dispute, traceId: traces.has(traceId) ? traceId : '', canReplay };
}

export function notFound(path: string): Reply {
  return refusal(404, 'NOT_FOUND', `there is nothing at ${path.slice(0, 100)}; the dashboard is at /`);
}

async function reason({ body, context }: RouteInput, sources: DashboardSources): Promise<Reply> {
  if (sources.reason === undefined) throw tryRequestsOff();
  return toReply(await sources.reason(await body(), context));
}

/**
 * Replays the input of a dispute as a vote of all engines. The input stays in the router, since it belongs to a caller.
 */
async function replay({ parts: [, id = ''], context }: RouteInput, sources: DashboardSources): Promise<Reply> {
  if (sources.reason === undefined) throw tryRequestsOff();
  const input = sources.disputes.input(id);
  if (input === undefined) {
    return refusal(404, 'UNKNOWN_DISPUTE', 'the input of this dispute is no longer stored; see /api/disputes');
  }
  const { model, version, shape, data } = input;
  const request = {
    ...{ model, modelVersion: version, strategy: 'STRATEGY_REDUNDANT', cache: 'CACHE_MODE_BYPASS' },
    tensor: { shape, dtype: 'FP32', data: Buffer.from(data).toString('base64') },
    detail: 'DETAIL_RASTER',
  };
  return toReply(await sources.reason(request, context));
}

function toReply({ code, body }: ReasonReply): Reply {
  return json(body, HTTP_STATUS[code] ?? 500);
}

function tryRequestsOff(): Refused {
  const message = 'requests from the dashboard are switched off; set dashboard.try_requests to true to allow them';
  return new Refused(403, 'TRY_REQUESTS_OFF', message);
}

async function inference(input: RouteInput, sources: DashboardSources): Promise<Reply> {
  const { request, parts, context, bytes } = input;
  const [path = ''] = parts;
  let refused: unknown;
  const answer = await sources.inference?.({
    ...{ method: request.method ?? '', path, ...context },
    headerBytes: Number(request.headers['inference-header-content-length'] ?? NaN),
    body: () =>
      bytes().catch((thrown: unknown) => {
        refused = thrown;
        throw thrown;
      }),
  });
  if (refused instanceof Refused) throw refused;
  if (answer === undefined) return notFound(path);
  const { code, type, body, headers } = answer;
  return { status: HTTP_STATUS[code] ?? 500, type, body, headers };
}

function atMost(max: number, handle: Handler): Handler {
  let waiting = 0;
  return async (input) => {
    if (waiting >= max) {
      const message = `${waiting} requests from the dashboard wait for an answer, the maximum; try again, or use gRPC`;
      return refusal(429, 'ROUTER_FULL', message, { 'Retry-After': '1' });
    }
    waiting += 1;
    try {
      return await handle(input);
    } finally {
      waiting -= 1;
    }
  };
}

/** Always revalidated, rarely sent again: files may change with the next start. */
function asset({ type, body, gzipped, etag }: Asset, { headers }: IncomingMessage): Reply {
  const kept = { ETag: etag, 'Cache-Control': 'no-cache', Vary: 'Accept-Encoding' };
  if (headers['if-none-match'] === etag) return { status: 304, type, body: '', headers: kept };
  if (!/\bgzip\b/.test(headers['accept-encoding'] ?? '')) return { status: 200, type, body, headers: kept };
  return { status: 200, type, body: gzipped, headers: { ...kept, 'Content-Encoding': 'gzip' } };
}

/** Empty if it is not a text; no model has an empty name. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}
