// What is observed of the router, and what is kept of it: disputes, events, metrics, alerts, traces.
import { z } from 'zod';
import { LISTEN } from './addresses.ts';
import { LIVE, RESTART } from './live.ts';

export const disputesSchema = z
  .strictObject({
    file: z
      .string()
      .default('')
      .describe('Where disputes are written, one JSON line each; empty: nowhere but the log.'),
    max_bytes: z.int().min(65_536).max(1_099_511_627_776).default(16_777_216).describe('Size at which it is rotated.'),
    files: z.int().min(1).max(1_000).default(4).describe('Files kept: the present one and older ones.'),
    input: z
      .enum(['included', 'hashed'])
      .default('included')
      .describe('Whether the input is written, so that "tandem replay" can run it again, or its hash alone.'),
  })
  .prefault({})
  .describe('Records of votes and audits in which engines contradicted each other.');

export const eventsSchema = z
  .strictObject({
    max_events: z
      .int()
      .min(1)
      .max(100_000)
      .default(1_000)
      .describe('Kept at most of each topic of the router’s own, and of all users’ topics together.'),
    max_bytes: z
      .int()
      .min(262_144)
      .max(1_073_741_824)
      .default(4_194_304)
      .describe('… and bytes of them. What a subscriber has not read when it makes room for newer ones it misses.'),
    max_subscribers: z.int().min(1).max(10_000).default(64).describe('Subscribe streams open at once.'),
    publish_per_s: z
      .int()
      .min(0)
      .max(10_000)
      .default(50)
      .describe('Events that users may publish, all of them together, a second; so many at once. 0: none.'),
  })
  .prefault({})
  .describe('EventService: what happens, broadcast to subscribers.');

export const metricsSchema = z
  .strictObject({
    snapshot_file: z
      .string()
      .default('')
      .describe('Where counts are kept, so that they survive a restart; empty: nowhere, counting begins at 0.'),
    snapshot_interval_ms: z
      .int()
      .min(100)
      .max(3_600_000)
      .default(10_000)
      .describe('It is written so often, and at the end; a crash loses as much, milliseconds.'),
  })
  .prefault({})
  .describe('What the router counts.');

export const alertsSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe('Raise alerts: a line in the log, and an event of topic "alert".')
      .meta(RESTART),
    interval_ms: z.int().min(100).max(600_000).default(5_000).describe('Between two looks, milliseconds.'),
    window_ms: z.int().min(1_000).max(3_600_000).default(300_000).describe('How far back rates look, milliseconds.'),
    for_ms: z
      .int()
      .min(0)
      .max(3_600_000)
      .default(60_000)
      .describe('What is wrong for so long is raised, and what is well again for so long is over, milliseconds.'),
    error_ratio: z
      .number()
      .min(0)
      .max(1)
      .default(0.05)
      .describe('Share of requests that may fail by no fault of their callers, 0 to 1.'),
    p99_ms: z
      .number()
      .min(0.1)
      .max(60_000)
      .default(1_000)
      .describe('What one request in a hundred may take longer than, milliseconds.'),
    memory_bytes: z
      .int()
      .min(1_048_576)
      .max(1_099_511_627_776)
      .default(2_147_483_648)
      .describe('Memory that the router may take.'),
    cache_collapse: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe('The share of cached answers is alarming below this part of the last hour’s, 0 to 1.'),
  })
  .prefault({})
  .describe('Alerts, the same as deploy/prometheus/tandem.rules.yml.')
  .meta(LIVE);

export const tracingSchema = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Note down what happens to each request, and keep some of it.'),
    ratio: z
      .number()
      .min(0)
      .max(1)
      .default(0.01)
      .describe(
        'Share of requests whose trace is kept, 0 to 1, where the caller has not decided; OTEL_TRACES_SAMPLER overrides it.',
      )
      .meta(LIVE),
    caller_samples_per_s: z
      .number()
      .min(0)
      .max(1_000_000)
      .default(100)
      .describe(
        'Traces a second that are kept because the `traceparent` of a caller says so, unless `ratio` is 1. Each costs time and memory.',
      )
      .meta(LIVE),
    slow_ms: z
      .int()
      .min(0)
      .max(3_600_000)
      .default(1_000)
      .describe(
        'Traces of requests that take so long are kept, as those of failures and disputes are, milliseconds; 0: not for that.',
      )
      .meta(LIVE),
    span_listen: z
      .string()
      .regex(LISTEN, 'must be "host:port"')
      .default('127.0.0.1:0')
      .describe(
        'Where sidecars send their spans, as OTLP over gRPC: loopback, or a private network. Spans of others are refused. Port 0: the system chooses.',
      ),
    layers: z
      .boolean()
      .default(false)
      .describe('Sidecars tell the time of every node of the network in the traces that are sampled.')
      .meta(LIVE),
  })
  .prefault({})
  .describe(
    'Traces of requests. Where they are sent to is said by OpenTelemetry’s own variables, OTEL_EXPORTER_OTLP_….',
  );
