// A program that calls the router and is traced by OpenTelemetry's own SDK, like a user's program.
import * as grpc from '@grpc/grpc-js';
import { ROOT_CONTEXT, SpanKind, defaultTextMapSetter, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { promised } from '../support/promised.ts';
import {
  ReasonRequest,
  type ReasonResponse,
  ReasoningServiceClient,
} from '../../services/generated/tandem/v1/reasoning.ts';

export const CLIENT = 'my-client';
export const CLIENT_SPAN = 'ask tandem';

export class TracedClient {
  readonly #provider: TracerProvider;
  readonly #client: ReasoningServiceClient;

  /** `endpoint`: the destination of its spans, OTLP over gRPC. */
  constructor(router: string, endpoint: string) {
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': CLIENT }),
      spanProcessors: [new SimpleSpanProcessor({ exporter: new OTLPTraceExporter({ url: endpoint }) })],
    });
    this.#client = new ReasoningServiceClient(router, grpc.credentials.createInsecure());
  }

  /** One Reason call in a separate trace. */
  async reason(request: Partial<ReasonRequest>): Promise<ReasonResponse> {
    const span = this.#provider.getTracer('test').startSpan(CLIENT_SPAN, { kind: SpanKind.CLIENT, root: true });
    const headers: Record<string, string> = {};
    new W3CTraceContextPropagator().inject(trace.setSpan(ROOT_CONTEXT, span), headers, defaultTextMapSetter);
    const metadata = new grpc.Metadata();
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
    try {
      return await promised((done) => this.#client.reason(ReasonRequest.fromPartial(request), metadata, done));
    } finally {
      span.end();
    }
  }

  /** Resolves when its spans have been sent. */
  async stop(): Promise<void> {
    this.#client.close();
    await this.#provider.shutdown();
  }
}
