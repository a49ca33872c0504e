// Receives OTLP from the sidecars: their spans are added to the router's and sent on to the user's collector. It has
// its own address, by default on loopback, so that callers of the public API cannot write into our traces. It accepts
// spans from engines that this router started (by a token) and from addresses of connected engines. Message size and
// consumers bound it; the sidecars' exporters drop spans that are not accepted in time.
import { ConnectionLimit } from '../core/connection-limit.ts';
import type { EncodedSpans, SpanSource } from '../core/encoded-spans.ts';
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
/** Each sidecar has its own name, and keeps it after a restart. */
const MAX_SOURCES = 256;
/** One connection for each sidecar, and briefly a second one during an orderly restart. */
const MAX_CONNECTIONS = 128;
const TIMEOUT_MS = 30_000;

/** `authorization`: from the call's metadata. `address`: of the peer. */
type IsEngine = (authorization: string | undefined, address: string) => boolean;

export class SpanReceiver {
  readonly #kind: EdgeKind;
  readonly #isEngine: IsEngine;
  readonly #method: OneRequestMethod<readonly EncodedSpans[] | RouterError, ExportTraceServiceResponse>;
  #edge: Edge | undefined;
  /** Keyed by the bytes of the resource. */
  readonly #sources = new Map<string, SpanSource>();

  /** `onSpans` must be quick and must not throw. */
  constructor(onSpans: (lists: readonly EncodedSpans[]) => void, kind: EdgeKind, isEngine: IsEngine) {
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

  /** Resolves to the value of OTEL_EXPORTER_OTLP_ENDPOINT for sidecars on this machine. */
  async start(listen: string): Promise<string> {
    this.#edge = await createEdge(this.#kind, [this.#method], {
      ...{ listen, connections: new ConnectionLimit(MAX_CONNECTIONS) },
      ...{ maxMessageBytes: MAX_MESSAGE_BYTES, maxStreamsPerConnection: MAX_STREAMS, timeoutMs: TIMEOUT_MS },
      authorize: (_path, metadata, socket) => {
        if (this.#isEngine(metadata.get('authorization')[0], socket.remoteAddress ?? '')) return undefined;
        return new RouterError('NO_CREDENTIALS', 'spans are taken from engines of this router only');
      },
      // The sidecars' exporters count failures.
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
    if (this.#sources.size >= MAX_SOURCES) this.#sources.clear(); // cheap to recreate
    const made = toSource(resource);
    this.#sources.set(key, made);
    return made;
  }
}
