// An OpenTelemetry collector for metrics, over gRPC or over HTTP with protobuf, that keeps the last push, decoded with
// OpenTelemetry's own protos.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const PROTOS = join(import.meta.dirname, '../../node_modules/otlp-protos/build/protos');
const SERVICE = 'opentelemetry.proto.collector.metrics.v1.MetricsService';
const FILE = 'opentelemetry/proto/collector/metrics/v1/metrics_service.proto';
const service = loadSync(FILE, { includeDirs: [PROTOS], longs: Number })[SERVICE] as grpc.ServiceDefinition;

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue: string };
}

export interface DataPoint {
  readonly attributes: readonly Attribute[];
  readonly asDouble?: number;
  readonly count?: number;
  readonly bucketCounts?: readonly number[];
}

interface Points {
  readonly dataPoints: readonly DataPoint[];
}

interface ExportRequest {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeMetrics: readonly {
      readonly metrics: readonly { name: string; sum?: Points; gauge?: Points; histogram?: Points }[];
    }[];
  }[];
}

export class FakeMetricsCollector {
  readonly protocol: 'grpc' | 'http/protobuf';
  #port = 0;
  #last: ExportRequest | undefined;
  #close: () => void = () => undefined;

  constructor(protocol: 'grpc' | 'http/protobuf') {
    this.protocol = protocol;
  }

  /** As OTEL_EXPORTER_OTLP_METRICS_ENDPOINT has it. */
  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}${this.protocol === 'grpc' ? '' : '/v1/metrics'}`;
  }

  /** Of the latest push. */
  get serviceName(): string {
    const attributes = this.#last?.resourceMetrics[0]?.resource.attributes ?? [];
    return attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? '';
  }

  /** The point of that metric with those attributes in the latest push; undefined if there is none. */
  point(name: string, attributes: Readonly<Record<string, string>> = {}): DataPoint | undefined {
    const metrics = (this.#last?.resourceMetrics ?? []).flatMap((each) => each.scopeMetrics).flatMap((s) => s.metrics);
    const { sum, gauge, histogram } = metrics.find((metric) => metric.name === name) ?? {};
    const points = (sum ?? gauge ?? histogram)?.dataPoints ?? [];
    const wanted = Object.entries(attributes);
    const found = points.filter((point) =>
      wanted.every(([key, text]) => point.attributes.some((own) => own.key === key && own.value.stringValue === text)),
    );
    return found.length === 1 ? found[0] : undefined;
  }

  /** At its earlier address, if it was stopped. */
  async start(): Promise<this> {
    this.#close = await (this.protocol === 'grpc' ? this.#startGrpc() : this.#startHttp());
    return this;
  }

  /** The port is closed after this. */
  stop(): void {
    this.#close();
  }

  async #startGrpc(): Promise<() => void> {
    const server = new grpc.Server();
    const take: grpc.handleUnaryCall<ExportRequest, object> = ({ request }, reply) => {
      this.#last = request;
      reply(null, {});
    };
    server.addService(service, { Export: take });
    const credentials = grpc.ServerCredentials.createInsecure();
    this.#port = await new Promise((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${this.#port}`, credentials, (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
    return () => server.forceShutdown();
  }

  async #startHttp(): Promise<() => void> {
    const server = createServer((request, response) => {
      void buffer(request).then((body) => {
        this.#last = service['Export']!.requestDeserialize(body) as ExportRequest;
        response.setHeader('content-type', 'application/x-protobuf').end();
      });
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    return () => {
      server.close();
      server.closeAllConnections();
    };
  }
}
