// Limits calls while their messages arrive. The gRPC library only delivers complete messages, however long they take
// and however many arrive at once. Here they have a time limit, a limit on their total size, and batches a limit on
// items; a call over a limit is refused while its bytes still arrive.
import { ServerInterceptingCall, type ServerInterceptingCallInterface, type ServerInterceptor } from '@grpc/grpc-js';
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { CallerAccount } from '../../auth/caller-account.ts';
import { RouterError } from '../../core/errors.ts';
import { Metadata } from '../../grpc/metadata.ts';
import type { Method } from '../../grpc/method.ts';
import type { EdgeOptions } from '../edge.ts';
import { toStatus } from '../status.ts';
import { MAX_OPEN_MESSAGES, lateMessage, noRoomForMessage } from '../unheard.ts';
import { toGrpcJs } from './call.ts';
import { setOwner } from './owners.ts';
import { Arrival, type ArrivalRules, isCompressed } from './arrival.ts';

interface IntakeOptions extends Omit<ArrivalRules, 'onBytes'>, Pick<EdgeOptions, 'authorize' | 'recheck'> {}

/** A call with fewer bytes is never refused because of other calls' bytes. */
const SMALL_BYTES = 65_536;
const LOOK_MS = 100;

interface Opening {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
}

export class Intake {
  readonly #options: IntakeOptions;
  readonly #inspectors: ReadonlyMap<string, Method['inspector']>;
  readonly #rules: ArrivalRules;
  /** Calls whose message is incomplete, oldest first. */
  readonly #coming = new Set<Arrival>();
  /** Streams of either side, each with its path. */
  readonly #streams = new Map<Arrival, Opening & { readonly path: string }>();
  #bytes = 0;
  #opening: Opening | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(methods: readonly Method[], options: IntakeOptions) {
    this.#options = options;
    this.#inspectors = new Map(methods.map(({ path, inspector }) => [path, inspector]));
    // `options` may change while the edge serves.
    this.#rules = Object.assign(Object.create(options) as IntakeOptions, {
      onBytes: (bytes: number) => {
        this.#bytes += bytes;
        if (bytes > 0) this.#makeRoom();
      },
    });
  }

  /**
   * Interceptor for the gRPC server. grpc-js calls it for each call, during the event `stream` of the HTTP/2 server.
   */
  readonly interceptor: ServerInterceptor = ({ path, requestStream, responseStream }, call) => {
    const opening = this.#opening;
    this.#opening = undefined;
    if (opening !== undefined) {
      const owner = this.#authorize(path, opening);
      if (owner instanceof RouterError) return refuse(call, owner);
      if (owner !== undefined) setOwner(call, owner);
      const inspect = isCompressed(opening.headers) ? undefined : this.#inspectors.get(path)?.(owner);
      const arrival = new Arrival({ ...opening, path, requestStream, call, inspect, owner }, this.#coming, this.#rules);
      if (requestStream || responseStream) this.#watch(arrival, { ...opening, path });
    }
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- a wrapper would slow each call down
    return call as ServerInterceptingCall;
  };

  /** Call after the server is bound. */
  listen(server: Http2Server): void {
    server.prependListener('stream', (stream, headers) => (this.#opening = { stream, headers }));
    this.#timer ??= setInterval(() => this.#refuseLate(), LOOK_MS).unref();
  }

  /** Ends the open streams that `recheck` refuses. */
  endRefused(): void {
    const { recheck } = this.#options;
    for (const [arrival, { path, stream, headers }] of this.#streams) {
      const { socket } = stream.session ?? {};
      const error = socket && recheck?.(path, metadataOf(headers), socket);
      if (error !== undefined) arrival.cut(error);
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #watch(arrival: Arrival, opening: Opening & { readonly path: string }): void {
    this.#streams.set(arrival, opening);
    opening.stream.once('close', () => this.#streams.delete(arrival));
  }

  #authorize(path: string, { stream, headers }: Opening): RouterError | CallerAccount | undefined {
    const { authorize, onUnheard } = this.#options;
    const { socket } = stream.session ?? {};
    if (authorize === undefined || socket === undefined) return undefined;
    const found = authorize(path, metadataOf(headers), socket);
    if (found instanceof RouterError) onUnheard(path, found, performance.now());
    return found;
  }

  #refuseLate(): void {
    const { timeoutMs } = this.#options;
    for (const arrival of this.#coming) {
      if (performance.now() - arrival.sinceMs < timeoutMs) return;
      arrival.refuse(lateMessage(timeoutMs));
    }
  }

  /** The largest one is refused: it takes most of the room. */
  #makeRoom(): void {
    const most = MAX_OPEN_MESSAGES * this.#options.maxMessageBytes;
    if (this.#bytes <= most) return;
    let largest: Arrival | undefined;
    for (const arrival of this.#coming) if (arrival.bytes > (largest?.bytes ?? SMALL_BYTES)) largest = arrival;
    largest?.refuse(noRoomForMessage(most));
  }
}

function metadataOf({ authorization }: IncomingHttpHeaders): Metadata {
  return new Metadata(authorization === undefined ? [] : ['authorization', authorization]);
}

/** The status is sent when the headers are read; no handler runs. */
function refuse(call: ServerInterceptingCallInterface, error: RouterError): ServerInterceptingCall {
  return new ServerInterceptingCall(call, {
    start: (next) => next({ onReceiveMetadata: () => call.sendStatus(toGrpcJs(toStatus(error))) }),
  });
}
