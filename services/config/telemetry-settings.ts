// Settings of disputes, events, metrics, alerts and traces.
import { z } from 'zod';
import { LISTEN } from './addresses.ts';
import { LIVE, RESTART } from './live.ts';

export const disputesSchema = z
  .strictObject({
    file: z.string().default('').describe('File for disputes, one JSON line each; empty: only the log.'),
    max_bytes: z.int().min(65_536).max(1_099_511_627_776).default(16_777_216).describe('Size at which it is rotated.'),
    files: z.int().min(1).max(1_000).default(4).describe('Maximum number of files, including the current one.'),
    input: z
      .enum(['included', 'hashed'])
      .default('included')
      .describe('Whether to write the input, so that "tandem replay" can run it again, or only its hash.'),
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
      .describe('Maximum events of each of the router’s topics, and of all users’ topics together.'),
    max_bytes: z
      .int()
      .min(262_144)
      .max(1_073_741_824)
      .default(4_194_304)
      .describe('The same limit in bytes. A subscriber misses events that are dropped before it reads them.'),
    max_subscribers: z.int().min(1).max(10_000).default(64).describe('Maximum open Subscribe streams.'),
    publish_per_s: z
      .int()
      .min(0)
      .max(10_000)
      .default(50)
      .describe('Events that all users together may publish a second, which is also the largest burst. 0: none.'),
  })
  .prefault({})
  .describe('EventService: events for subscribers.');

export const metricsSchema = z
  .strictObject({
    snapshot_file: z
      .string()
      .default('')
      .describe('File for the counters, so that they survive a restart; empty: none, counting starts at 0.'),
    snapshot_interval_ms: z
      .int()
      .min(100)
      .max(3_600_000)
      .default(10_000)
      .describe(
        'Interval between writes, milliseconds. It is also written at a stop; a crash loses the counts since the last write.',
      ),
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
    interval_ms: z.int().min(100).max(600_000).default(5_000).describe('Interval between checks, milliseconds.'),
    window_ms: z
      .int()
      .min(1_000)
      .max(3_600_000)
      .default(300_000)
      .describe('Length of the window for rates, milliseconds.'),
    for_ms: z
      .int()
      .min(0)
      .max(3_600_000)
      .default(60_000)
      .describe(
        'How long a condition must hold before an alert is raised, and how long it must be gone before the alert ends, milliseconds.',
      ),
    error_ratio: z
      .number()
      .min(0)
      .max(1)
      .default(0.05)
      .describe('Allowed share of requests that fail without a fault of the caller, 0 to 1.'),
    p99_ms: z
      .number()
      .min(0.1)
      .max(60_000)
      .default(1_000)
      .describe('Allowed 99th percentile of the latency, milliseconds.'),
    memory_bytes: z
      .int()
      .min(1_048_576)
      .max(1_099_511_627_776)
      .default(2_147_483_648)
      .describe('Allowed memory of the router.'),
    cache_collapse: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe('An alert is raised if the cache hit ratio falls below this share of the last hour’s, 0 to 1.'),
  })
  .prefault({})
  .describe('Alerts, the same as deploy/prometheus/tandem.rules.yml.')
  .meta(LIVE);

export const tracingSchema = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Record a trace of each request, and keep some of them.'),
    ratio: z
      .number()
      .min(0)
      .max(1)
      .default(0.01)
      .describe(
        'Share of requests whose trace is kept, 0 to 1, if the caller has not decided; OTEL_TRACES_SAMPLER overrides it.',
      )
      .meta(LIVE),
    caller_samples_per_s: z
      .number()
      .min(0)
      .max(1_000_000)
      .default(100)
      .describe(
        'Traces a second that are kept because a caller’s `traceparent` asks for it, unless `ratio` is 1. Each costs time and memory.',
      )
      .meta(LIVE),
    slow_ms: z
      .int()
      .min(0)
      .max(3_600_000)
      .default(1_000)
      .describe(
        'Traces of requests that take at least this long are kept, milliseconds, like those of failures and disputes; 0: off.',
      )
      .meta(LIVE),
    span_listen: z
      .string()
      .regex(LISTEN, 'must be "host:port"')
      .default('127.0.0.1:0')
      .describe(
        'Address for the sidecars’ spans (OTLP over gRPC): loopback, or a private network. Spans of other senders are refused. Port 0: the system chooses.',
      ),
    layers: z
      .boolean()
      .default(false)
      .describe('Record the time of every node of the network in sampled traces of sidecars.')
      .meta(LIVE),
  })
  .prefault({})
  .describe('Traces of requests. OpenTelemetry’s variables OTEL_EXPORTER_OTLP_… name the target.');
