// The gRPC client: one connection and the calls over it. When the connection is lost, every call ends at once with the
// reason, and so does every later call. It neither reconnects nor retries: create a new client.
import { type Socket, isIP } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import {
  ClientConnection,
  type CloseReason,
  type Limits,
  MemoryBudget,
  connectShared,
  encodeHeaders,
} from '../http2/index.ts';
import {
  type CallClient,
  type CancelSignal,
  ClientCall,
  type ClientMethod,
  type ResponseListener,
} from './client-call.ts';
import { ACCEPTED, type Encoding } from './compression.ts';
import { type Address, parseAddress } from './listen.ts';
import type { Metadata } from './metadata.ts';
import { Code, type Status, StatusError, status } from './status.ts';
import { formatTimeout } from './timeout.ts';
import { TimingWheel } from './timing-wheel.ts';

export interface ClientOptions {
  /** Undefined: no TLS. */
  readonly tls?: ConnectionOptions;
  /** Time to connect, including TLS, milliseconds. */
  readonly connectTimeoutMs?: number;
  /** Aborts connecting. No effect on an established connection. */
  readonly signal?: AbortSignal;
  /** Largest accepted answer, bytes. */
  readonly maxMessageBytes?: number;
  readonly http2?: Partial<Limits>;
}

export interface CallOptions {
  readonly timeoutMs?: number;
  readonly metadata?: Metadata;
  /** Cancels the call. */
  readonly signal?: CancelSignal;
  /** Messages may be sent compressed. */
  readonly encoding?: Encoding;
}

const CONNECT_TIMEOUT_MS = 20_000;
const MAX_MESSAGE_BYTES = 4_194_304;
/** Bytes that wait to be sent, and received bytes that are not read. */
const MAX_HELD_BYTES = 134_217_728;
const USER_AGENT = 'grpc-node-http2/1';

export class GrpcClient implements CallClient {
  readonly wheel = new TimingWheel();
  readonly maxMessageBytes: number;
  lost: Status | undefined;
  /** Why the connection ended; undefined: it is open. */
  closeReason: CloseReason | undefined;
  /** Called once when the connection is closed by either side, after every call has ended. */
  onLost: ((why: Status) => void) | undefined;
  readonly #connection: ClientConnection;
  readonly #authority: string;
  readonly #scheme: string;
  readonly #losing: { fail(end: Status): void }[] = [];
  /** Encoded headers of calls without own headers, by path. */
  readonly #blocks = new Map<string, Buffer>();

  private constructor(socket: Socket, authority: string, options: ClientOptions) {
    this.maxMessageBytes = options.maxMessageBytes ?? MAX_MESSAGE_BYTES;
    this.#authority = authority;
    this.#scheme = options.tls === undefined ? 'http' : 'https';
    // A separate budget, so that other connections' memory does not end this one.
    this.#connection = new ClientConnection(socket, { memory: new MemoryBudget(MAX_HELD_BYTES), ...options.http2 });
    this.#connection.onClosed = (reason) => {
      this.closeReason = reason;
      this.lost = status('UNAVAILABLE', `the connection was lost: ${reason.text}`);
      for (const call of this.#losing) call.fail(this.lost);
      this.onLost?.(this.lost);
    };
  }

  /**
   * `address`: "host:port" or "unix:PATH". Rejects with StatusError: DEADLINE_EXCEEDED if it took too long, else
   * UNAVAILABLE. Its `cause` is the system's error.
   */
  static async connect(address: string, options: ClientOptions = {}): Promise<GrpcClient> {
    const parsed = parseAddress(address);
    const socket = await openSocket(parsed, options);
    const authority = parsed.path === undefined ? address : 'localhost';
    return new GrpcClient(socket, authority, options);
  }

  /** IP address; undefined: it has none. */
  get remoteAddress(): string | undefined {
    return this.#connection.socket.remoteAddress;
  }

  get openCalls(): number {
    return this.#connection.openStreams;
  }

  lose(call: { fail(end: Status): void }): void {
    this.#losing.push(call);
  }

  /** Starts a call. Send its messages, then call `end`. */
  call<Request, Response>(
    method: ClientMethod<Request, Response>,
    listener: ResponseListener<Response>,
    options: CallOptions = {},
  ): ClientCall<Request, Response> {
    const { timeoutMs = Infinity, signal, encoding = 'identity' } = options;
    const dueMs = performance.now() + timeoutMs;
    const call = new ClientCall<Request, Response>(this, method, listener, dueMs, encoding);
    const stream = this.#connection.open(this.#headers(method.path, options), call, false);
    if (stream === undefined) {
      const full = 'the server takes no more calls on this connection now; try again when some have ended';
      call.fail(this.lost ?? status('UNAVAILABLE', full));
      return call;
    }
    call.begin(stream);
    if (signal !== undefined) call.cancelWith(signal);
    return call;
  }

  /** Rejects with StatusError. */
  unary<Request, Response>(
    method: ClientMethod<Request, Response>,
    request: Request,
    options?: CallOptions,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      const answers: Response[] = [];
      const onStatus = (end: Status): void => {
        if (end.code !== Code.OK) reject(new StatusError(end));
        else if (answers.length === 1) resolve(answers[0]!);
        else reject(new StatusError(status('INTERNAL', `the server sent ${answers.length} answers, where one is due`)));
      };
      const call = this.call(method, { onMessage: (answer) => void answers.push(answer), onStatus }, options);
      try {
        call.send(request, options?.encoding !== undefined);
        call.end();
      } catch (error) {
        reject(new StatusError(status('INTERNAL', `the request cannot be encoded (${(error as Error).message})`)));
        call.cancel();
      }
    });
  }

  /** Resolves with the round-trip time, milliseconds. Rejects when the connection is lost. */
  ping(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#connection.ping((roundTripMs) => {
        if (roundTripMs !== undefined) resolve(roundTripMs);
        else reject(new StatusError(this.lost ?? status('UNAVAILABLE', 'the connection was lost')));
      });
    });
  }

  /** Finishes calls in flight and starts no new ones. */
  drain(): void {
    this.#connection.goaway();
  }

  /** Ends every call. */
  close(): void {
    this.#connection.close(undefined, 'it was closed here');
  }

  #headers(path: string, { timeoutMs, metadata, encoding }: CallOptions): Buffer {
    const isPlain = timeoutMs === undefined && metadata === undefined && encoding === undefined;
    const known = isPlain ? this.#blocks.get(path) : undefined;
    if (known !== undefined) return known;
    const list = [':method', 'POST', ':scheme', this.#scheme, ':path', path, ':authority', this.#authority];
    list.push('content-type', 'application/grpc', 'te', 'trailers', 'grpc-accept-encoding', ACCEPTED);
    list.push('user-agent', USER_AGENT);
    if (timeoutMs !== undefined && timeoutMs !== Infinity) list.push('grpc-timeout', formatTimeout(timeoutMs));
    if (encoding !== undefined) list.push('grpc-encoding', encoding);
    const block = encodeHeaders(metadata === undefined ? list : [...list, ...metadata.list]);
    if (isPlain) this.#blocks.set(path, block);
    return block;
  }
}

async function openSocket({ path, host, port }: Address, options: ClientOptions): Promise<Socket> {
  const { tls, connectTimeoutMs = CONNECT_TIMEOUT_MS, signal } = options;
  const where = path === undefined ? { host: host!, port: port! } : { path };
  const socket =
    tls === undefined
      ? connectShared({ ...where, noDelay: true })
      : connectTls({
          ...(host !== undefined && isIP(host) === 0 && { servername: host }),
          ...tls,
          ...where,
          ALPNProtocols: ['h2'],
        });
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const onAbort = (): void => reject(new Error('it was given up'));
  const onLate = (): void => {
    const late = status('DEADLINE_EXCEEDED', `cannot connect: no connection within ${connectTimeoutMs} ms`);
    reject(new StatusError(late));
  };
  const timer = setTimeout(onLate, connectTimeoutMs);
  try {
    socket.once(tls === undefined ? 'connect' : 'secureConnect', resolve).once('error', reject);
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort);
    await promise;
    socket.setNoDelay(true);
    socket.off('error', reject);
    return socket;
  } catch (error) {
    socket.on('error', () => undefined).destroy();
    if (error instanceof StatusError) throw error;
    throw new StatusError(status('UNAVAILABLE', `cannot connect: ${textOf(error as Error)}`), { cause: error });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

/** For a name with several addresses there is one error per address, and none for all. */
function textOf(error: Error): string {
  if (!(error instanceof AggregateError)) return error.message;
  return error.errors.map(({ message }: Error) => message).join('; ');
}
