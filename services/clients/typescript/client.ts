// A connection to a router.
import * as grpc from '@grpc/grpc-js';
import {
  type DeepPartial,
  type PingResponse,
  type ReasonBatchResponse,
  ReasonBatchRequest,
  ReasonRequest,
  type ReasonResponse,
  ReasoningServiceClient,
} from '../../generated/tandem/v1/reasoning.ts';
import { TandemError } from './errors.ts';
import { withRetries } from './retry.ts';
import { type Requests, type StreamAnswer, exchange } from './stream.ts';

export interface TandemOptions {
  /** Plaintext unless given; `grpc.credentials.createSsl()` for TLS. */
  readonly credentials?: grpc.ChannelCredentials;
  /** For routers with callers in setting `auth`. */
  readonly token?: string;
  /** Time limit of each call, over all its attempts, milliseconds. */
  readonly timeoutMs?: number;
}

export interface CallOptions {
  /** Time limit of this call, milliseconds. A stream has none by default. */
  readonly timeoutMs?: number;
  /** Cancels the call. */
  readonly signal?: AbortSignal;
}

type Unary<Request, Response> = (
  request: Request,
  metadata: grpc.Metadata,
  options: grpc.CallOptions,
  callback: (error: grpc.ServiceError | null, response: Response) => void,
) => grpc.ClientUnaryCall;

type Stub<S extends grpc.Client> = new (
  address: string,
  credentials: grpc.ChannelCredentials,
  options: grpc.ClientOptions,
) => S;

const DEFAULT_TIMEOUT_MS = 10_000;

/** Calls reject with TandemError. `close` ends the connection. */
export class Tandem {
  readonly #address: string;
  readonly #credentials: grpc.ChannelCredentials;
  readonly #token: string | undefined;
  readonly #timeoutMs: number;
  readonly #reasoning: ReasoningServiceClient;

  constructor(address = '127.0.0.1:50051', options: TandemOptions = {}) {
    this.#address = address;
    this.#credentials = options.credentials ?? grpc.credentials.createInsecure();
    this.#token = options.token;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    // Answers may have any size, since the caller requested them.
    const limits = { 'grpc.max_receive_message_length': -1, 'grpc.enable_retries': 0 };
    this.#reasoning = new ReasoningServiceClient(address, this.#credentials, limits);
  }

  ping(options?: CallOptions): Promise<PingResponse> {
    return this.#unary(this.#reasoning.ping.bind(this.#reasoning), {}, options, true);
  }

  /** One input to one conclusion. */
  reason(request: DeepPartial<ReasonRequest>, options?: CallOptions): Promise<ReasonResponse> {
    const full = ReasonRequest.fromPartial(request);
    return this.#unary(this.#reasoning.reason.bind(this.#reasoning), full, options, isRepeatable(full));
  }

  /** Many inputs; each has its own result or error, in the order of the requests. */
  reasonBatch(requests: DeepPartial<ReasonRequest>[], options?: CallOptions): Promise<ReasonBatchResponse> {
    const full = ReasonBatchRequest.fromPartial({ requests });
    const repeatable = full.requests.every(isRepeatable);
    return this.#unary(this.#reasoning.reasonBatch.bind(this.#reasoning), full, options, repeatable);
  }

  /**
   * Yields the answers in the order of arrival, which may be any. Reads `requests` no faster than the router accepts
   * them.
   */
  async *reasonStream(requests: Requests, options: CallOptions = {}): AsyncGenerator<StreamAnswer, void, undefined> {
    const { timeoutMs, signal } = options;
    const deadline = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
    const call = this.#reasoning.reasonStream(this.#metadata(), deadline);
    const cancel = (): void => call.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    if (signal?.aborted) cancel();
    try {
      yield* exchange(call, requests);
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** The stub of another service on this connection, for its streams: `tandem.service(EventServiceClient)`. */
  service<S extends grpc.Client>(stub: Stub<S>): S {
    return new stub(this.#address, this.#credentials, { channelOverride: this.#reasoning.getChannel() });
  }

  /**
   * A method of another service, with deadline, token and typed error. Retried only if nothing was done.
   * Example: `tandem.call(ModelServiceClient, (models) => models.listModels, {})`.
   */
  call<S extends grpc.Client, Request, Response>(
    stub: Stub<S>,
    method: (service: S) => Unary<Request, Response>,
    request: Request,
    options?: CallOptions,
  ): Promise<Response> {
    const service = this.service(stub);
    return this.#unary<Request, Response>(method(service).bind(service), request, options, false);
  }

  close(): void {
    this.#reasoning.close();
  }

  #metadata(): grpc.Metadata {
    const metadata = new grpc.Metadata();
    if (this.#token !== undefined) metadata.set('authorization', `Bearer ${this.#token}`);
    return metadata;
  }

  #unary<Request, Response>(
    method: Unary<Request, Response>,
    request: Request,
    { timeoutMs = this.#timeoutMs, signal }: CallOptions = {},
    isRepeatable: boolean,
  ): Promise<Response> {
    const deadline = Date.now() + timeoutMs;
    const attempt = (): Promise<Response> =>
      new Promise((resolve, reject) => {
        const call = method(request, this.#metadata(), { deadline }, (error, response) => {
          signal?.removeEventListener('abort', cancel);
          if (error) reject(TandemError.ofCall(error));
          else resolve(response);
        });
        const cancel = (): void => call.cancel();
        signal?.addEventListener('abort', cancel, { once: true });
        if (signal?.aborted) cancel();
      });
    return withRetries(attempt, { deadline, isRepeatable, signal });
  }
}

/** A message of a session changes the session, unless it sets `expectedStep`. */
function isRepeatable({ session }: ReasonRequest): boolean {
  return session === undefined || session.expectedStep !== undefined;
}
