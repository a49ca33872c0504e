// OTLP for the sidecars: their spans join the router's own, and go on to the user's collector from here. On an address of
// its own, by default on loopback: no caller of the public API is to write into our traces. Bounded by the size of a
// message and by who takes the spans; the sidecars' exporters drop what we do not take in time.
import * as grpc from '@grpc/grpc-js';
import { ConnectionLimit } from '../core/connection-limit.ts';
import type { EncodedSpan, SpanSource } from '../core/encoded-span.ts';
import { RouterError } from '../core/errors.ts';
import {
  type ExportTraceServiceResponse,
  TraceServiceService,
} from '../generated/opentelemetry/proto/collector/trace/v1/trace_service.ts';
import { bind } from './bind.ts';
import { refusing } from './decoding.ts';
import { http2ServersOf, limitConnections } from './http2-servers.ts';
import { scanSpans } from './otlp-scan.ts';
import { toSource } from './otlp-span.ts';
import { toStatus } from './status.ts';

const MAX_MESSAGE_BYTES = 4 * 1_048_576;
/** Sidecars have names of their own, each restart none that is new. */
const MAX_SOURCES = 256;
/** Each sidecar has one, and with an orderly restart a second one for a moment. */
const MAX_CONNECTIONS = 128;

export class SpanReceiver {
  readonly #server = new grpc.Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_concurrent_streams': 64,
    'grpc.enable_channelz': 0,
  });
  /** By the bytes of the resource. */
  readonly #sources = new Map<string, SpanSource>();

  readonly #connections = new ConnectionLimit(MAX_CONNECTIONS);

  /** `onSpans` must be quick and must not throw. */
  constructor(onSpans: (spans: readonly EncodedSpan[]) => void) {
    const method = {
      ...TraceServiceService.export,
      requestDeserialize: refusing((bytes) => scanSpans(bytes, (resource) => this.#sourceOf(resource))),
    };
    const take: grpc.handleUnaryCall<readonly EncodedSpan[] | RouterError, ExportTraceServiceResponse> = (
      { request },
      reply,
    ) => {
      if (request instanceof RouterError) {
        reply(toStatus(request));
        return;
      }
      onSpans(request);
      reply(null, {});
    };
    this.#server.addService({ export: method }, { export: take });
  }

  /** Resolves to what the sidecars of this machine need as OTEL_EXPORTER_OTLP_ENDPOINT. */
  async start(listen: string): Promise<string> {
    const port = await bind(this.#server, listen);
    for (const each of http2ServersOf(this.#server)) limitConnections(each, this.#connections);
    return `http://127.0.0.1:${port}`;
  }

  stop(): void {
    this.#server.forceShutdown();
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
