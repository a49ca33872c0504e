import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { metered, meteredEngine } from '../../test/support/metered.ts';
import { otlpMetrics } from '../config/otlp-metrics.ts';
import { BOUNDS_S } from './latency.ts';
import { startOtlpMetrics } from './otlp-metrics.ts';

describe('OpenTelemetry’s variables', () => {
  it.each([
    [{}, undefined],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://traces' }, undefined],
    [{ OTEL_METRICS_EXPORTER: 'none', OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://a' }, undefined],
    [{ OTEL_METRICS_EXPORTER: 'otlp', OTEL_SDK_DISABLED: 'true' }, undefined],
    [{ OTEL_METRICS_EXPORTER: 'console, otlp' }, { protocol: 'http/protobuf', intervalMs: 60_000, timeoutMs: 30_000 }],
    [
      { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://a', OTEL_METRIC_EXPORT_INTERVAL: '500' },
      { protocol: 'http/protobuf', intervalMs: 500, timeoutMs: 500 },
    ],
    [
      { OTEL_METRICS_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
      { protocol: 'grpc', intervalMs: 60_000, timeoutMs: 30_000 },
    ],
  ])('%j gives the options %j', (env, options) => {
    expect(otlpMetrics(env)).toEqual(options);
  });

  it('cause an error that names the invalid variable', () => {
    const environment = { OTEL_METRICS_EXPORTER: 'otlp' };
    expect(() => otlpMetrics({ ...environment, OTEL_EXPORTER_OTLP_PROTOCOL: 'udp' })).toThrow(
      'OTEL_EXPORTER_OTLP_PROTOCOL: "udp" is not one of grpc, http/protobuf, http/json',
    );
    expect(() => otlpMetrics({ ...environment, OTEL_METRIC_EXPORT_INTERVAL: 'often' })).toThrow(
      /^OTEL_METRIC_EXPORT_INTERVAL/,
    );
  });
});

interface Told {
  readonly resourceMetrics: {
    resource: { attributes: { key: string; value: { stringValue?: string } }[] };
    scopeMetrics: { metrics: { name: string; unit: string; sum?: Points; gauge?: Points; histogram?: Points }[] }[];
  }[];
}
interface Points {
  readonly isMonotonic?: boolean;
  readonly dataPoints: {
    asDouble?: number;
    count?: number;
    sum?: number;
    bucketCounts?: number[];
    explicitBounds?: number[];
    attributes: { key: string; value: { stringValue: string } }[];
  }[];
}

let server: Server | undefined;

afterEach(() => {
  server?.close();
});

describe('metrics over OTLP', () => {
  it('have OpenTelemetry types and are sent once more on stop', async () => {
    const bodies: string[] = [];
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        bodies.push(body);
        response.setHeader('content-type', 'application/json').end('{}');
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/v1/metrics`;

    const { metrics, meter } = metered({ engines: [meteredEngine('engine-1')], inFlight: 4 });
    const pushing = await startOtlpMetrics(
      () => meter.read(),
      {
        ...{ protocol: 'http/json', intervalMs: 3_600_000, timeoutMs: 5_000, url },
      },
      { failing: () => undefined, recovered: () => undefined },
    );
    for (const durationMs of [0.2, 3, 4]) metrics.requestEnded('Reason', 'OK', durationMs);
    metrics.requestEnded('Reason', 'NO_ENGINE', 1);
    await pushing.stop();

    const [message] = bodies.map((body) => JSON.parse(body) as Told);
    const [{ resource, scopeMetrics }] = message!.resourceMetrics as [Told['resourceMetrics'][0]];
    expect(resource.attributes).toContainEqual({ key: 'service.name', value: { stringValue: 'tandem-router' } });
    const families = new Map(scopeMetrics.flatMap((scope) => scope.metrics).map((each) => [each.name, each]));
    const requests = families.get('tandem_requests')!.sum!;
    expect(requests.isMonotonic).toBe(true);
    expect(requests.dataPoints.map(({ asDouble }) => asDouble)).toEqual([3, 1]);
    expect(families.get('tandem_requests_in_flight')!.gauge!.dataPoints[0]!.asDouble).toBe(4);
    const duration = families.get('tandem_request_duration')!;
    expect(duration.unit).toBe('s');
    const [point] = duration.histogram!.dataPoints;
    expect([point!.count, point!.explicitBounds]).toEqual([3, BOUNDS_S]);
    expect(point!.sum).toBeCloseTo(0.0072, 9);
    expect(point!.bucketCounts!.map(Number)).toEqual(
      [...BOUNDS_S, Infinity].map((bound) => (bound === 0.00025 ? 1 : bound === 0.005 ? 2 : 0)),
    );
  });
});
