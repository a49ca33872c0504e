// Every setting with default, range, unit and meaning. Names end in their unit.
// As YAML: `spawn: {count: 3}`. From the environment: TANDEM_SPAWN_COUNT=3. Flags: see `npm start -- --help`.
import { z } from 'zod';
import { LISTEN } from './addresses.ts';
import { adminSchema, checkAdmin } from './admin-settings.ts';
import { bridgeSchema } from './bridge-settings.ts';
import {
  breakerSchema,
  discoverySchema,
  quarantineSchema,
  recorderSchema,
  sidecarSchema,
  spawnSchema,
} from './engine-settings.ts';
import { checkSidecarTls, sidecarTlsSchema } from './sidecar-tls-settings.ts';
import { LIVE } from './live.ts';
import { agentsSchema } from './agent-settings.ts';
import { learningSchema, operationsSchema } from './learning-settings.ts';
import { authSchema } from './auth-settings.ts';
import { callersSchema } from './caller-settings.ts';
import { checkExposure, insecureSchema, tlsSchema } from './security-settings.ts';
import { sessionsSchema } from './session-settings.ts';
import { alertsSchema, disputesSchema, eventsSchema, metricsSchema, tracingSchema } from './telemetry-settings.ts';
import { voteSchema } from './vote.ts';

const shape = z.strictObject({
  listen: z
    .string()
    .regex(new RegExp(`^unix:.+$|${LISTEN.source}`), 'must be "host:port", such as "127.0.0.1:50051", or "unix:PATH"')
    .default('127.0.0.1:50051')
    .describe(
      'Address of the gRPC server; port 0: the system chooses. Or a Unix socket: "unix:PATH". An address that other machines reach needs `tls`, or `insecure: true`.',
    ),
  tls: tlsSchema,
  insecure: insecureSchema,
  auth: authSchema,
  sidecar_tls: sidecarTlsSchema,
  admin: adminSchema,
  bridge: bridgeSchema,
  callers: callersSchema,
  edge: z
    .enum(['native', 'grpc-js'])
    .default('native')
    .describe(
      'Implementation that serves gRPC: this project’s own, or the library grpc-js, which takes more CPU per call.',
    ),
  http_listen: z
    .string()
    .regex(new RegExp(`^(off)?$|${LISTEN.source}`), 'must be "host:port", or "off"')
    .default('127.0.0.1:8080')
    .describe(
      'Address of the dashboard, /metrics, /healthz and /readyz, which need no login; port 0: the system chooses; "off" or empty: none.',
    ),
  ready: z
    .strictObject({
      min_engines: z
        .int()
        .min(0)
        .max(256)
        .default(0)
        .describe(
          'Engines that must be ready for the default model. 0: as many as must agree if the strategy is REDUNDANT and vote.on_few is FAIL, else 1.',
        ),
    })
    .prefault({})
    .describe('When /readyz and grpc.health.v1 report that the router is ready for requests.')
    .meta(LIVE),
  dashboard: z
    .strictObject({
      try_requests: z
        .boolean()
        .optional()
        .describe(
          'Whether users of the dashboard may send requests to models from it. Unset: only if http_listen is loopback.',
        ),
      hosts: z
        .array(z.string().regex(/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/, 'must be host names in lower case, without a port'))
        .max(64)
        .default([])
        .describe(
          'Host names under which the dashboard answers, besides localhost and IP addresses. Others are refused, since a page of another site could use them (DNS rebinding).',
        )
        .meta(LIVE),
    })
    .prefault({})
    .describe('The pages at `http_listen`.'),
  reflection: z
    .boolean()
    .default(false)
    .describe('Serve gRPC reflection, for grpcurl and similar tools. `npm start` turns it on unless this is set.'),
  models_dir: z.string().min(1).default('deploy/models').describe('The model repository: <model>/<version>/model.nir.'),
  default_model: z
    .string()
    .default('supersense')
    .describe(
      'The model of requests that name none. A text goes to this model if it takes text, else to the model of this name plus -text, else to the first model that takes text.',
    ),
  models: z
    .strictObject({
      watch: z
        .boolean()
        .default(false)
        .describe('Watch models_dir: load new versions, unload removed ones, reload changed ones.'),
      debounce_ms: z
        .int()
        .min(10)
        .max(600_000)
        .default(500)
        .describe('Changes are applied when the folder has been unchanged for this long, milliseconds.'),
    })
    .prefault({})
    .describe('Model versions that are loaded and unloaded while the router runs.'),
  strategy: z
    .enum(['ROUND_ROBIN', 'LOCAL_FIRST', 'SIDECAR_FIRST', 'FASTEST', 'REDUNDANT', 'AFFINITY', 'HEDGED'])
    .default('ROUND_ROBIN')
    .describe('The strategy of requests that name none.')
    .meta(LIVE),
  local_first_share: z
    .number()
    .min(0)
    .max(1)
    .default(0.8)
    .describe('Share of requests that LOCAL_FIRST gives to the local engine, 0 to 1.')
    .meta(LIVE),
  sidecar_first_share: z
    .number()
    .min(0)
    .max(1)
    .default(0.8)
    .describe('Share of requests that SIDECAR_FIRST gives to the sidecars, 0 to 1.')
    .meta(LIVE),
  vote: voteSchema.prefault({}).describe('The strategy REDUNDANT, and how its answers are judged.').meta(LIVE),
  quarantine: quarantineSchema,
  sessions: sessionsSchema,
  disputes: disputesSchema,
  events: eventsSchema,
  overload: z
    .strictObject({
      max_queue: z
        .int()
        .min(0)
        .max(1_000_000)
        .default(1_024)
        .describe('Requests that may wait for an engine; further ones get ROUTER_FULL. 0: no request waits.'),
      max_wait_ms: z
        .int()
        .min(1)
        .max(3_600_000)
        .default(1_000)
        .describe(
          'A request that would wait longer than this for an engine is refused at once, milliseconds. If the queue has not been empty for this long, a tenth applies.',
        ),
    })
    .prefault({})
    .describe('Behaviour when all engines are fully loaded. The router measures their capacity itself.')
    .meta(LIVE),
  hedged: z
    .strictObject({
      percentile: z
        .number()
        .min(1)
        .max(99.9)
        .default(95)
        .describe('A second engine is asked after the time in which this percentage of answers arrives.'),
    })
    .prefault({})
    .describe('The strategy HEDGED.')
    .meta(LIVE),
  retry: z
    .strictObject({
      max_attempts: z.int().min(1).max(64).default(3).describe('Engines that one request may try one after another.'),
      attempt_timeout_ms: z
        .int()
        .min(1)
        .max(3_600_000)
        .default(10_000)
        .describe(
          'Maximum time of an attempt if another engine can be tried, milliseconds. Usually an attempt ends earlier: after the engine’s usual latency, or its share of the caller’s time.',
        ),
      budget_percent: z
        .number()
        .min(0)
        .max(100)
        .default(20)
        .describe(
          'Retries, and requests to a second engine beside one that is late: percent of all requests. In addition, each request in flight may be retried once. 0: none.',
        ),
    })
    .prefault({})
    .describe('Retries on another engine when one fails.')
    .meta(LIVE),
  breaker: breakerSchema,
  panic_percent: z
    .int()
    .min(0)
    .max(100)
    .default(50)
    .describe(
      'If fewer than this percentage of the breakers of a model’s connected engines are closed, and at least two are not, breakers are ignored; 0: never.',
    )
    .meta(LIVE),
  slow_start_ms: z
    .int()
    .min(0)
    .max(600_000)
    .default(2_000)
    .describe(
      'A new or returning engine gets its share of requests gradually over this time, milliseconds; 0: at once.',
    )
    .meta(LIVE),
  stall_timeout_ms: z
    .int()
    .min(50)
    .max(600_000)
    .default(500)
    .describe(
      'A sidecar that owes answers and sends nothing for this long, not even a ping reply, counts as lost, milliseconds.',
    ),
  cache: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Cache the answers of requests that do not BYPASS it.'),
      max_entries: z.int().min(1).max(10_000_000).default(10_000).describe('Maximum number of answers.'),
      max_bytes: z
        .int()
        .min(1_024)
        .max(1_099_511_627_776)
        .default(67_108_864)
        .describe('Maximum memory of inputs and answers, bytes.'),
      ttl_ms: z
        .int()
        .min(0)
        .max(2_592_000_000)
        .default(300_000)
        .describe('How long an answer is fresh, milliseconds.')
        .meta(LIVE),
      stale_ms: z
        .int()
        .min(0)
        .max(2_592_000_000)
        .default(3_600_000)
        .describe('How long after that it may still be returned if no engine can answer, milliseconds; 0: never.')
        .meta(LIVE),
    })
    .prefault({})
    .describe('The result cache.'),
  metrics: metricsSchema,
  alerts: alertsSchema,
  max_batch_items: z
    .int()
    .min(1)
    .max(100_000)
    .default(1_024)
    .describe('Maximum requests in one ReasonBatch.')
    .meta(LIVE),
  stream_window: z
    .int()
    .min(1)
    .max(10_000)
    .default(128)
    .describe('Maximum requests in flight of one ReasonStream or one ReasonBatch.')
    .meta(LIVE),
  request_timeout_ms: z
    .int()
    .min(1)
    .max(3_600_000)
    .default(30_000)
    .describe('Default deadline of a request, and the maximum, milliseconds.')
    .meta(LIVE),
  max_message_bytes: z
    .int()
    .min(1_024)
    .max(268_435_456)
    .default(16_777_216)
    .describe('Maximum size of a request, bytes; a larger one is refused with RESOURCE_EXHAUSTED.'),
  max_in_flight: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(4_096)
    .describe('Maximum requests in flight; further ones get ROUTER_FULL.')
    .meta(LIVE),
  max_streams_per_connection: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(1_024)
    .describe('Maximum open calls of one connection; further ones wait in the client.'),
  drain_timeout_ms: z
    .int()
    .min(0)
    .max(600_000)
    .default(8_000)
    .describe(
      'How long a stop waits for requests in flight, milliseconds. The whole stop takes up to 1.5 s more; Docker allows 10 s.',
    )
    .meta(LIVE),
  drain_delay_ms: z
    .int()
    .min(0)
    .max(600_000)
    .default(0)
    .describe(
      'Before that, the router reports that it is not ready and still accepts requests for this long, milliseconds, so that load balancers can react.',
    )
    .meta(LIVE),
  local: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Run the TypeScript engine inside the router.'),
      workers: z.int().min(1).max(64).default(1).describe('Its worker threads.'),
    })
    .prefault({})
    .describe('The engine inside the router.'),
  sidecars: z
    .array(sidecarSchema)
    .max(64)
    .refine((sidecars) => new Set(sidecars.map(({ id }) => id)).size === sidecars.length, {
      error: 'must be sidecars with ids of their own',
    })
    .default([])
    .describe('Sidecars to connect to, in addition to `spawn`.')
    .meta(LIVE),
  discovery: discoverySchema,
  spawn: spawnSchema,
  recorder: recorderSchema,
  agents: agentsSchema,
  learning: learningSchema,
  operations: operationsSchema,
  tracing: tracingSchema,
  log_level: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('Least severe log line to write.')
    .meta(LIVE),
});

export const settingsSchema = shape.superRefine(checkExposure).superRefine(checkSidecarTls).superRefine(checkAdmin);

export type Settings = z.infer<typeof settingsSchema>;
