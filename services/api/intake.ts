// What becomes of a call until its message is there. gRPC's library hands over whole messages, however long they take and
// however many come at once; here they have a time, a size in all, and batches a count, and who is beyond is told so while
// the bytes still come.
import type { ServerInterceptingCall, ServerInterceptor } from '@grpc/grpc-js';
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { RouterError } from '../core/errors.ts';
import { Arrival, type ArrivalRules } from './arrival.ts';

export interface IntakeOptions extends Omit<ArrivalRules, 'onBytes'> {
  /** Of one message, bytes. */
  readonly maxMessageBytes: number;
}

/** Requests of open calls may take so many times the bytes of the largest, together. */
const MESSAGES = 64;
/** A call with fewer bytes is never refused for the room that others take. */
const SMALL_BYTES = 65_536;
const LOOK_MS = 100;
const RETRY_MS = 100;

interface Opening {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
}

export class Intake {
  readonly #options: IntakeOptions;
  readonly #rules: ArrivalRules;
  /** Calls whose message is not whole, the longest first. */
  readonly #coming = new Set<Arrival>();
  #bytes = 0;
  #opening: Opening | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
    // `options` may change while it serves.
    this.#rules = Object.assign(Object.create(options) as IntakeOptions, {
      onBytes: (bytes: number) => {
        this.#bytes += bytes;
        if (bytes > 0) this.#makeRoom();
      },
    });
  }

  /** For the gRPC server. grpc-js calls it for each call, within the event `stream` of the HTTP/2 server. */
  readonly interceptor: ServerInterceptor = ({ path, requestStream }, call) => {
    const opening = this.#opening;
    this.#opening = undefined;
    if (opening !== undefined) new Arrival({ ...opening, path, requestStream, call }, this.#coming, this.#rules);
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- the call as it is: a wrapper that changes nothing would cost each call time
    return call as ServerInterceptingCall;
  };

  /** To be called when it is bound. */
  listen(server: Http2Server): void {
    server.prependListener('stream', (stream, headers) => (this.#opening = { stream, headers }));
    this.#timer ??= setInterval(() => this.#refuseLate(), LOOK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #refuseLate(): void {
    const { timeoutMs } = this.#options;
    for (const arrival of this.#coming) {
      if (performance.now() - arrival.sinceMs < timeoutMs) return;
      const message = `the request was not here within ${timeoutMs} ms (setting request_timeout_ms); send it whole, and end it`;
      arrival.refuse(new RouterError('DEADLINE_EXCEEDED', message));
    }
  }

  /** The largest goes: it is the one that takes the others' room. */
  #makeRoom(): void {
    const most = MESSAGES * this.#options.maxMessageBytes;
    if (this.#bytes <= most) return;
    let largest: Arrival | undefined;
    for (const arrival of this.#coming) if (arrival.bytes > (largest?.bytes ?? SMALL_BYTES)) largest = arrival;
    const message = `the requests that are coming in take more than ${most} bytes; try again in ${RETRY_MS} ms, with fewer large ones at once`;
    largest?.refuse(new RouterError('ROUTER_FULL', message, { retryAfterMs: RETRY_MS, lack: 'MEMORY' }));
  }
}
