// OTLP for the sidecars: their spans join the router's own, and go on to the user's collector from here. On an address of
// its own, by default on loopback: no caller of the public API is to write into our traces. Spans are taken from engines that
// this router has started, by a token, and from addresses where it is connected to an engine. Bounded by the size of a
// message and by who takes the spans; the sidecars' exporters drop what we do not take in time.
import { ConnectionLimit } from '../core/connection-limit.ts';
import type { EncodedSpan, SpanSource } from '../core/encoded-span.ts';
import { RouterError } from '../core/errors.ts';
import {
  type ExportTraceServiceResponse,
  TraceServiceService,
} from '../generated/opentelemetry/proto/collector/trace/v1/trace_service.ts';
import type { OneRequestMethod } from '../grpc/method.ts';
import { type EdgeKind, createEdge } from './create-edge.ts';
import { refusing } from './decoding.ts';
import type { Edge } from './edge.ts';
import { scanSpans } from './otlp-scan.ts';
import { toSource } from './otlp-span.ts';
import { toStatus } from './status.ts';

const MAX_MESSAGE_BYTES = 4 * 1_048_576;
const MAX_STREAMS = 64;
/** Sidecars have names of their own, each restart none that is new. */
const MAX_SOURCES = 256;
/** Each sidecar has one, and with an orderly restart a second one for a moment. */
const MAX_CONNECTIONS = 128;
const TIMEOUT_MS = 30_000;

/** `authorization`: of the call's metadata. `address`: of its peer. */
type IsEngine = (authorization: string | undefined, address: string) => boolean;

export class SpanReceiver {
  readonly #kind: EdgeKind;
  readonly #isEngine: IsEngine;
  readonly #method: OneRequestMethod<readonly EncodedSpan[] | RouterError, ExportTraceServiceResponse>;
  #edge: Edge | undefined;
  /** By the bytes of the resource. */
  readonly #sources = new Map<string, SpanSource>();

  /** `onSpans` must be quick and must not throw. */
  constructor(onSpans: (spans: readonly EncodedSpan[]) => void, kind: EdgeKind, isEngine: IsEngine) {
    this.#kind = kind;
    this.#isEngine = isEngine;
    this.#method = {
      ...{ path: TraceServiceService.export.path, requestStream: false, responseStream: false },
      decode: refusing((bytes) => scanSpans(bytes, (resource) => this.#sourceOf(resource))),
      encode: TraceServiceService.export.responseSerialize,
      handle: (call, request) => {
        if (request instanceof RouterError) {
          call.fail(toStatus(request));
          return;
        }
        onSpans(request);
        call.answer({});
      },
    };
  }

  /** Resolves to what the sidecars of this machine need as OTEL_EXPORTER_OTLP_ENDPOINT. */
  async start(listen: string): Promise<string> {
    this.#edge = await createEdge(this.#kind, [this.#method], {
      ...{ listen, connections: new ConnectionLimit(MAX_CONNECTIONS) },
      ...{ maxMessageBytes: MAX_MESSAGE_BYTES, maxStreamsPerConnection: MAX_STREAMS, timeoutMs: TIMEOUT_MS },
      authorize: (_path, metadata, socket) => {
        if (this.#isEngine(metadata.get('authorization')[0], socket.remoteAddress ?? '')) return undefined;
        return new RouterError('NO_CREDENTIALS', 'spans are taken from engines of this router only');
      },
      // The sidecars' exporters count what fails.
      ...{ onUnheard: () => undefined, onInternalError: () => undefined, onConnectionFault: () => undefined },
    });
    return `http://127.0.0.1:${await this.#edge.start()}`;
  }

  stop(): void {
    this.#edge?.close();
  }

  #sourceOf(resource: Uint8Array): SpanSource {
    const key = Buffer.from(resource).toString('latin1');
    const known = this.#sources.get(key);
    if (known !== undefined) return known;
    if (this.#sources.size >= MAX_SOURCES) this.#sources.clear(); // cheap to make anew
    const made = toSource(resource);
    this.#sources.set(key, made);
    return made;
  }
}
