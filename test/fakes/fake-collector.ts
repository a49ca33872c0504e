// An OpenTelemetry collector over real gRPC that keeps the spans it gets, or never answers.
import * as grpc from '@grpc/grpc-js';
import { toSpans } from '../../services/api/otlp-span.ts';
import type { Span } from '../../services/core/span.ts';
import {
  type ExportTraceServiceRequest,
  type ExportTraceServiceResponse,
  TraceServiceService,
} from '../../services/generated/opentelemetry/proto/collector/trace/v1/trace_service.ts';

export class FakeCollector {
  readonly requests: ExportTraceServiceRequest[] = [];
  /** Of each request, in their order. */
  readonly metadata: grpc.Metadata[] = [];
  /** It accepts requests and never answers. */
  isBlackHole = false;
  #server = new grpc.Server();
  #port: number;

  /** Port 0: the system chooses. */
  constructor(port = 0) {
    this.#port = port;
  }

  /** In the form of OTEL_EXPORTER_OTLP_ENDPOINT. */
  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get spans(): Span[] {
    return this.requests.flatMap((request) => toSpans(request));
  }

  async start(): Promise<this> {
    const take: grpc.handleUnaryCall<ExportTraceServiceRequest, ExportTraceServiceResponse> = (call, reply) => {
      this.requests.push(call.request);
      this.metadata.push(call.metadata);
      if (!this.isBlackHole) reply(null, {});
    };
    this.#server.addService(TraceServiceService, { export: take });
    this.#port = await new Promise((resolve, reject) => {
      this.#server.bindAsync(`127.0.0.1:${this.#port}`, grpc.ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
    return this;
  }

  stop(): void {
    this.#server.forceShutdown();
    this.#server = new grpc.Server();
  }
}
