// The router's HTTP server: dashboard, Prometheus and probes. Everything that a visitor can make grow has a limit.
// Headers forbid loading from other sites, framing, and reading by other sites.
//
// With setting `auth`, everything except probes needs a token. DNS rebinding by another site is detected by the Host
// header: only localhost, IP addresses and names in setting `dashboard.hosts` are accepted.
import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  createServer,
} from 'node:http';
import { Server as SecureServer, createServer as createSecureServer } from 'node:https';
import { type AddressInfo, isIP } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { ConnectionLimit } from '../core/connection-limit.ts';
import { RouterError } from '../core/errors.ts';
import { isLoopbackHost } from '../core/loopback.ts';
import { BodyRoom } from './body-room.ts';
import { History } from './history.ts';
import { Refused, type Reply, refusal } from './reply.ts';
import { type RouteInput, type Route, dashboardRoutes, notFound } from './routes.ts';
import { toSnapshot } from './snapshot.ts';
import type { DashboardSources } from './sources.ts';
import { Watchers } from './watchers.ts';

/** PEM. */
interface HttpCertificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** `read`: pages and data. `reason`: a request to a model. */
type HttpNeed = 'read' | 'reason';

/** The body of a request. */
interface Body {
  readonly maxBytes: number;
  /** Call before these bytes are kept. Throws if all bodies have too many. */
  enter(bytes: number): void;
  leave(): void;
}

export interface HttpServerOptions {
  /** "host:port"; port 0: the system chooses. */
  readonly listen: string;
  /** Undefined: plaintext. */
  readonly certificate?: HttpCertificate | undefined;
  readonly connections?: ConnectionLimit;
  /** Accepted host names besides localhost. Default: none. */
  readonly hosts?: readonly string[];
  /**
   * Called with a request's header `authorization` and its IP address. Returns the error that refuses it, or else its
   * caller, if known. By default no request is refused.
   */
  readonly authorize?: (authorization: string | undefined, need: HttpNeed, address: string) => object | undefined;
  /** Maximum size of a request body, bytes. */
  readonly maxBodyBytes: number;
  /** Time limit of a request, milliseconds. */
  readonly timeoutMs: number;
  /** Called for errors that visitors only see as an internal error. */
  readonly onInternalError: (path: string, error: unknown) => void;
}

/** It is parsed at once, so other callers wait meanwhile: some milliseconds for this many bytes. */
const MAX_JSON_BYTES = 262_144;
/** Bodies of this many requests of maximum size are in memory at once, over all peers. */
const MAX_BODIES = 16;
const NO_ROOM = 'the requests under way hold too many bytes; send fewer large ones at once';
export const MAX_CONNECTIONS = 128;
const MAX_HEADER_BYTES = 8_192;
const MAX_HEADERS = 64;
const MAX_URL_CHARS = 2_048;
/** Time for a request to arrive completely, milliseconds. */
const RECEIVE_MS = 10_000;
/** Idle time-out of a connection; the live stream sends every second. */
const SILENT_MS = 60_000;
const KEEP_ALIVE_MS = 5_000;
/** Connections above the limit that may be accepted before the ones they displace are closed. */
const BURST = 32;
/** Connections that may watch or wait for an engine. The others are reserved for requests that are answered at once. */
const WATCHERS_SHARE = 0.25;
const WAITING_SHARE = 0.5;

/** These paths need no login. */
const PROBES = ['/healthz', '/readyz', '/v2/health/live', '/v2/health/ready'];

const SECURITY_HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

export class HttpServer {
  #options: HttpServerOptions;
  readonly #routes: readonly Route[];
  readonly #watchers: Watchers;
  readonly #history: History;
  readonly #server: Server;
  readonly #connections: ConnectionLimit;
  readonly #bodies: BodyRoom;
  readonly #host: string;
  readonly #port: number;

  constructor(sources: DashboardSources, options: HttpServerOptions) {
    this.#options = options;
    const { connections = new ConnectionLimit(MAX_CONNECTIONS) } = options;
    this.#connections = connections;
    this.#bodies = new BodyRoom(MAX_BODIES * options.maxBodyBytes);
    const part = (share: number): number => Math.ceil(connections.max * share);
    const history = new History(() => sources.read());
    this.#history = history;
    this.#watchers = new Watchers(() => toSnapshot(sources, history), part(WATCHERS_SHARE));
    this.#routes = dashboardRoutes(sources, history, this.#watchers, part(WAITING_SHARE));
    const at = options.listen.lastIndexOf(':');
    this.#host = options.listen.slice(0, at);
    this.#port = Number(options.listen.slice(at + 1));
    const limits = {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: RECEIVE_MS,
      requestTimeout: RECEIVE_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: 1_000,
    };
    const answer: RequestListener = (request, response) => void this.#answer(request, response);
    const { certificate } = options;
    this.#server =
      certificate === undefined
        ? createServer(limits, answer)
        : createSecureServer({ ...limits, ...tlsOptions(certificate), handshakeTimeout: RECEIVE_MS }, answer);
    connections.watch(this.#server, certificate === undefined ? 'connection' : 'secureConnection', BURST);
    this.#server.maxHeadersCount = MAX_HEADERS;
    this.#server.timeout = SILENT_MS;
  }

  configure(options: Pick<HttpServerOptions, 'timeoutMs' | 'hosts'>): void {
    this.#options = { ...this.#options, ...options };
  }

  /** To be called when `authorize` knows other callers: streams of those that may no longer read end. */
  callersChanged(): void {
    this.#watchers.recheck((request) => !(this.#authorize(request, 'read') instanceof RouterError));
  }

  /** Applies to new connections. */
  renew(certificate: HttpCertificate): void {
    if (this.#server instanceof SecureServer) this.#server.setSecureContext(tlsOptions(certificate));
  }

  /** Resolves to the bound address. */
  async start(): Promise<string> {
    const { listen } = this.#options;
    await new Promise<void>((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void => {
        const why = error.code === 'EADDRINUSE' ? 'something else listens there' : error.message;
        const advice = 'set http_listen to another "host:port", or to "off" for no dashboard';
        reject(new Error(`cannot serve the dashboard on ${listen}: ${why}; ${advice}`));
      };
      this.#server.once('error', failed);
      this.#server.listen(this.#port, this.#host.replace(/^\[|\]$/g, ''), () => {
        this.#server.off('error', failed);
        resolve();
      });
    });
    this.#history.start();
    return `${this.#host}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Accepts no more requests. Running ones have `timeoutMs` to end. */
  async stop(timeoutMs: number): Promise<void> {
    this.#watchers.end();
    this.#history.stop();
    const timer = setTimeout(() => this.#server.closeAllConnections(), timeoutMs);
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    clearTimeout(timer);
  }

  /**
   * Handles a request. While we compute the answer, its connection is not replaced by another one. While the peer sends
   * the request or reads the answer, it may be replaced, so a slow peer does not block others.
   */
  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    this.#connections.working(socket);
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    let reply: Reply | undefined;
    try {
      reply = await this.#reply(request, response);
    } catch (thrown) {
      if (thrown instanceof Refused) reply = thrown.reply;
      else {
        this.#options.onInternalError(request.url?.split('?')[0] ?? '', thrown);
        reply = refusal(500, 'INTERNAL', 'internal error; the cause is in the log of the router');
      }
    }
    if (reply === undefined || response.headersSent) {
      if (response.closed) this.#connections.done(socket);
      else response.once('close', () => this.#connections.done(socket));
      return;
    }
    // An unread body would have to be read before the connection can be used again.
    if (!request.complete) response.setHeader('Connection', 'close');
    const body = Buffer.from(reply.body);
    response.writeHead(reply.status, {
      'Content-Type': reply.type,
      'Cache-Control': 'no-store',
      ...(reply.status === 304 ? {} : { 'Content-Length': String(body.length) }),
      ...reply.headers,
    });
    response.end(body); // not sent if the method is HEAD
    this.#connections.done(socket);
  }

  async #reply(request: IncomingMessage, response: ServerResponse): Promise<Reply | undefined> {
    const { url = '', headers } = request;
    if (url.length > MAX_URL_CHARS) return refusal(414, 'URL_TOO_LONG', `a URL may have ${MAX_URL_CHARS} characters`);
    // Not parsed by URL, which would normalize "/assets/../x" to another path.
    const [path = '', query = ''] = url.split('?', 2);
    // Probes use any host name, and their answers reveal nothing.
    if (!PROBES.includes(path) && !this.#isOurs(headers.host)) {
      const message = `this host name is not in setting dashboard.hosts; use an IP address, or http://localhost:${this.#port || '…'}/`;
      return refusal(421, 'WRONG_HOST', message);
    }
    const matching = this.#routes.filter((route) => route.path.test(path));
    if (matching.length === 0) return notFound(path);
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const route = matching.find((each) => each.method === method);
    if (route === undefined) {
      const allowed = matching.map((each) => (each.method === 'GET' ? 'GET, HEAD' : each.method)).join(', ');
      return refusal(405, 'METHOD_NOT_ALLOWED', `${path} takes ${allowed}`, { Allow: allowed });
    }
    if (method !== 'GET' && !isSameOrigin(headers)) {
      return refusal(403, 'WRONG_ORIGIN', 'the request comes from a page of another site; use the dashboard itself');
    }
    let owner: object | undefined;
    if (!PROBES.includes(path)) {
      const need = method === 'POST' ? 'reason' : 'read';
      owner = this.#authorize(request, need);
      if (owner instanceof RouterError) return unauthorized(owner);
    }
    const body = this.#bodyOf(request);
    const input: RouteInput = {
      request,
      response,
      parts: [...(route.path.exec(path) ?? [])],
      query: new URLSearchParams(query),
      context: { signal: leaving(response), deadlineMs: performance.now() + this.#options.timeoutMs, owner },
      body: () => this.#read(request, readJson, body),
      bytes: () => this.#read(request, readBody, body),
    };
    try {
      return await route.handle(input);
    } finally {
      body.leave();
    }
  }

  /** Its bytes count until the request is answered. */
  #bodyOf({ socket }: IncomingMessage): Body {
    const room = this.#bodies;
    const peer = socket.remoteAddress ?? '';
    let held = 0;
    return {
      maxBytes: this.#options.maxBodyBytes,
      enter: (bytes) => {
        if (!room.enter(peer, bytes)) throw new Refused(429, 'BODIES_TOO_LONG', NO_ROOM);
        held += bytes;
      },
      leave: () => room.leave(peer, held),
    };
  }

  #authorize({ headers, socket }: IncomingMessage, need: HttpNeed): object | undefined {
    return this.#options.authorize?.(headers.authorization, need, socket.remoteAddress ?? '');
  }

  /** A peer that sends its body slowly must not block others. */
  async #read<Content>(
    request: IncomingMessage,
    read: (request: IncomingMessage, body: Body) => Promise<Content>,
    body: Body,
  ): Promise<Content> {
    this.#connections.done(request.socket);
    try {
      return await read(request, body);
    } finally {
      this.#connections.working(request.socket);
    }
  }

  #isOurs(host: string | undefined): boolean {
    const name = (host ?? '')
      .replace(/:\d*$/, '')
      .replace(/^\[(.*)\]$/, '$1')
      .toLowerCase();
    // In DNS rebinding the host is a name, never an IP address.
    return isLoopbackHost(name) || isIP(name) !== 0 || (this.#options.hosts ?? []).includes(name);
  }
}

/** A browser asks for a name and a password: any name, with the token as password. */
function unauthorized({ kind, message, retryAfterMs }: RouterError): Reply {
  if (kind === 'ROLE_MISSING') return refusal(403, kind, message);
  if (kind === 'CALLER_LIMIT') {
    return refusal(429, kind, message, { 'Retry-After': String(Math.ceil((retryAfterMs ?? 0) / 1_000)) });
  }
  return refusal(401, kind, message, {
    'WWW-Authenticate': 'Basic realm="tandem: any name, and your token as the password"',
  });
}

function tlsOptions({ cert, key }: HttpCertificate): SecureContextOptions {
  return { cert, key, minVersion: 'TLSv1.3' };
}

/** Aborted when the peer disconnects before it has its answer. */
function leaving(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}

/** Browsers send the origin with requests that change something or cost work. Programs do not. */
function isSameOrigin({ origin, host, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  if (origin === undefined) return site === undefined || site === 'same-origin' || site === 'none';
  return URL.canParse(origin) && new URL(origin).host === host;
}

/** Pages of other sites may send JSON only after a CORS preflight, which is never granted. */
async function readJson(request: IncomingMessage, body: Body): Promise<unknown> {
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
    throw new Refused(415, 'WRONG_TYPE', 'send a ReasonRequest as application/json');
  }
  const bytes = await readBody(request, { ...body, maxBytes: Math.min(body.maxBytes, MAX_JSON_BYTES) });
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    throw new Refused(400, 'INVALID_FIELD', 'the body is not JSON; send a ReasonRequest');
  }
}

async function readBody(request: IncomingMessage, { maxBytes, enter }: Body): Promise<Buffer> {
  const tooLong = `a request may have ${maxBytes} bytes here (setting max_message_bytes, and as JSON ${MAX_JSON_BYTES}); send a smaller input`;
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw new Refused(413, 'BODY_TOO_LONG', tooLong);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Refused(413, 'BODY_TOO_LONG', tooLong);
    enter(chunk.length);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
