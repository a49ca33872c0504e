// Spans on their way to a collector.
import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { until } from '../support/until.ts';
import { decodeSpans } from '../../services/api/otlp-span.ts';
import { EncodedSpans } from '../../services/core/encoded-spans.ts';
import { ExportTraceServiceRequest } from '../../services/generated/opentelemetry/proto/collector/trace/v1/trace_service.ts';
import { ScopeSpans } from '../../services/generated/opentelemetry/proto/trace/v1/trace.ts';
import { SpanExporter } from '../../services/telemetry/span-exporter.ts';

const SOURCE = { service: 'tandem-router', instance: 'here' };
/** No export because of the time. */
const LONG_MS = 3_600_000;

let collector: Server;
/** Number of spans in each request to the collector. */
let sizes: number[];
let exporter: SpanExporter | undefined;

beforeEach(async () => {
  sizes = [];
  collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { resourceSpans } = ExportTraceServiceRequest.decode(Buffer.concat(chunks));
      const spans = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((each) => each.spans));
      sizes.push(spans.length);
      response.writeHead(200).end();
    });
  }).listen(0, '127.0.0.1');
  await once(collector, 'listening');
});

afterEach(async () => {
  await exporter?.stop(1_000);
  collector.close();
  collector.closeAllConnections();
});

function start(over: { maxQueue?: number; maxBatch?: number } = {}): SpanExporter {
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = endpoint;
  exporter = new SpanExporter(
    {
      endpoint,
      protocol: 'http/protobuf',
      maxQueue: 2_048,
      maxBatch: 512,
      delayMs: LONG_MS,
      timeoutMs: 5_000,
      ...over,
    },
    SOURCE,
    decodeSpans,
    { failing: () => undefined, recovered: () => undefined },
  );
  return exporter;
}

function list(count: number): EncodedSpans {
  const ids = { traceId: Buffer.alloc(16, 1), spanId: Buffer.alloc(8, 2) };
  const spans = Array.from({ length: count }, () => ({ ...ids, name: 'n' }));
  const bytes = ScopeSpans.encode(ScopeSpans.fromPartial({ spans })).finish();
  return new EncodedSpans('01'.repeat(16), SOURCE, bytes, 0, bytes.length, count);
}

const received = (): number => sizes.reduce((sum, each) => sum + each, 0);

it('sends when the spans of all lists make a batch', async () => {
  const to = start();
  for (let each = 0; each < 86; each += 1) to.export(list(6));
  await until(() => received() >= 510, { what: 'a batch' });
  expect(to.counts).toMatchObject({ dropped: 0, failed: 0, queued: 4 });
});

it('loses none of long lists while the collector keeps up', async () => {
  const to = start();
  for (let round = 0; round < 20; round += 1) {
    for (let each = 0; each < 11; each += 1) to.export(list(131));
    await until(() => to.counts.queued < 512, { what: 'room' });
  }
  await to.stop(5_000);
  expect(received()).toBe(20 * 11 * 131);
  expect(to.counts).toMatchObject({ exported: 20 * 11 * 131, dropped: 0, failed: 0, queued: 0 });
});

it('exceeds the size of a batch by less than one list', async () => {
  const to = start({ maxBatch: 100 });
  for (let each = 0; each < 100; each += 1) to.export(list(7));
  await to.stop(5_000);
  expect(received()).toBe(700);
  expect(Math.max(...sizes)).toBeLessThan(107);
});

it('drops and counts the lists that do not fit', async () => {
  const to = start({ maxQueue: 20, maxBatch: 20 });
  to.export(list(21));
  for (let each = 0; each < 3; each += 1) to.export(list(9));
  expect(to.counts).toMatchObject({ dropped: 30, queued: 18 });
  await to.stop(5_000);
  expect([received(), to.counts.queued]).toEqual([18, 0]);
});
