// Every setting: default, range, unit and meaning. Names end in their unit.
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
      'Address of the gRPC server; port 0: the system chooses. Or a Unix socket: "unix:PATH". One that other machines reach needs `tls`, or `insecure: true`.',
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
      'What serves gRPC: this project’s own HTTP/2 and gRPC, or the library grpc-js, which takes more CPU a call.',
    ),
  http_listen: z
    .string()
    .regex(new RegExp(`^(off)?$|${LISTEN.source}`), 'must be "host:port", or "off"')
    .default('127.0.0.1:8080')
    .describe(
      'Address of the dashboard, /metrics, /healthz and /readyz, which ask for no login; port 0: the system chooses; "off" or empty: none.',
    ),
  ready: z
    .strictObject({
      min_engines: z
        .int()
        .min(0)
        .max(256)
        .default(0)
        .describe(
          'Engines that must be ready for the default model. 0: as many as must agree where the strategy is REDUNDANT and vote.on_few is FAIL, else 1.',
        ),
    })
    .prefault({})
    .describe('When /readyz and grpc.health.v1 say that the router can be sent requests.')
    .meta(LIVE),
  dashboard: z
    .strictObject({
      try_requests: z
        .boolean()
        .optional()
        .describe(
          'Whether those who see the dashboard may send requests to models from it. Unset: where http_listen is loopback.',
        ),
      hosts: z
        .array(z.string().regex(/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/, 'must be host names in lower case, without a port'))
        .max(64)
        .default([])
        .describe(
          'Host names under which it may be asked, besides localhost and IP addresses: under others a page of another site could read it (DNS rebinding).',
        )
        .meta(LIVE),
    })
    .prefault({})
    .describe('The pages at `http_listen`.'),
  reflection: z
    .boolean()
    .default(false)
    .describe('Serve gRPC reflection, for grpcurl and the like. `npm start` does so unless this is set.'),
  models_dir: z.string().min(1).default('deploy/models').describe('The model repository: <model>/<version>/model.nir.'),
  default_model: z
    .string()
    .default('supersense')
    .describe(
      'The model of requests that name none. Texts go to it where it takes text, else to the model of this name with -text behind it, else to the first that takes text.',
    ),
  models: z
    .strictObject({
      watch: z
        .boolean()
        .default(false)
        .describe('Watch models_dir: load what is put there, unload what is taken away, load anew what is changed.'),
      debounce_ms: z
        .int()
        .min(10)
        .max(600_000)
        .default(500)
        .describe('Changes are taken up when the folder has been quiet for so long.'),
    })
    .prefault({})
    .describe('Model versions that come and go while the router runs.'),
  strategy: z
    .enum(['ROUND_ROBIN', 'LOCAL_FIRST', 'SIDECAR_FIRST', 'FASTEST', 'REDUNDANT', 'AFFINITY', 'HEDGED'])
    .default('ROUND_ROBIN')
    .describe('How engines are chosen where the request does not say.')
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
        .describe('Requests waiting for an engine at once before ROUTER_FULL; 0: who finds no room is refused.'),
      max_wait_ms: z
        .int()
        .min(1)
        .max(3_600_000)
        .default(1_000)
        .describe(
          'Who would wait longer for an engine is refused at once. In a queue that has stood as long, a tenth.',
        ),
    })
    .prefault({})
    .describe('When all engines have as much to do as they can work off: the router finds that out by itself.')
    .meta(LIVE),
  hedged: z
    .strictObject({
      percentile: z
        .number()
        .min(1)
        .max(99.9)
        .default(95)
        .describe('A second engine is asked after the time in which so many percent of answers come.'),
    })
    .prefault({})
    .describe('The strategy HEDGED.')
    .meta(LIVE),
  retry: z
    .strictObject({
      max_attempts: z.int().min(1).max(64).default(3).describe('Engines that one request may ask in turn.'),
      attempt_timeout_ms: z
        .int()
        .min(1)
        .max(3_600_000)
        .default(10_000)
        .describe(
          'An engine that has not answered by then is given up where another can be asked, milliseconds. As a rule it is given up earlier: after what its answers usually take, or its share of the caller’s time.',
        ),
      budget_percent: z
        .number()
        .min(0)
        .max(100)
        .default(20)
        .describe(
          'Second and further attempts, percent of requests; beside them, whatever is in flight may be retried once.',
        ),
    })
    .prefault({})
    .describe('Asking another engine when one fails.')
    .meta(LIVE),
  breaker: breakerSchema,
  panic_percent: z
    .int()
    .min(0)
    .max(100)
    .default(50)
    .describe(
      'With fewer breakers closed among the connected engines of a model, percent, and two or more that are not, they are ignored; 0: never.',
    )
    .meta(LIVE),
  slow_start_ms: z
    .int()
    .min(0)
    .max(600_000)
    .default(2_000)
    .describe(
      'An engine that comes later, or back, gets its share of the requests little by little over so long, milliseconds; 0: at once.',
    )
    .meta(LIVE),
  stall_timeout_ms: z
    .int()
    .min(50)
    .max(600_000)
    .default(500)
    .describe('A sidecar that owes answers and is silent so long, even when asked whether it lives, counts as lost.'),
  cache: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Keep answers of requests that do not BYPASS it.'),
      max_entries: z.int().min(1).max(10_000_000).default(10_000).describe('Answers kept at most.'),
      max_bytes: z
        .int()
        .min(1_024)
        .max(1_099_511_627_776)
        .default(67_108_864)
        .describe('Bytes of inputs and answers kept at most.'),
      ttl_ms: z
        .int()
        .min(0)
        .max(2_592_000_000)
        .default(300_000)
        .describe('An answer is fresh for so long, milliseconds.')
        .meta(LIVE),
      stale_ms: z
        .int()
        .min(0)
        .max(2_592_000_000)
        .default(3_600_000)
        .describe('… and for so long after that it may still answer when no engine can; 0: never.')
        .meta(LIVE),
    })
    .prefault({})
    .describe('The result cache.'),
  metrics: metricsSchema,
  alerts: alertsSchema,
  max_batch_items: z.int().min(1).max(100_000).default(1_024).describe('Requests in one ReasonBatch.').meta(LIVE),
  stream_window: z
    .int()
    .min(1)
    .max(10_000)
    .default(128)
    .describe('Unanswered requests of one ReasonStream, or of one ReasonBatch, under way at once.')
    .meta(LIVE),
  request_timeout_ms: z
    .int()
    .min(1)
    .max(3_600_000)
    .default(30_000)
    .describe('Deadline of requests that bring none, and the longest that one may bring, milliseconds.')
    .meta(LIVE),
  max_message_bytes: z
    .int()
    .min(1_024)
    .max(268_435_456)
    .default(16_777_216)
    .describe('Largest request accepted, bytes; a larger one is refused with RESOURCE_EXHAUSTED.'),
  max_in_flight: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(4_096)
    .describe('Requests under way at once before the router refuses with ROUTER_FULL.')
    .meta(LIVE),
  max_streams_per_connection: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(1_024)
    .describe('Calls one connection may have open; further ones wait in the client.'),
  drain_timeout_ms: z
    .int()
    .min(0)
    .max(600_000)
    .default(8_000)
    .describe(
      'How long a stop waits for what is in flight, milliseconds; all of it takes up to 1.5 s more, and Docker gives 10 s.',
    )
    .meta(LIVE),
  drain_delay_ms: z
    .int()
    .min(0)
    .max(600_000)
    .default(0)
    .describe(
      'Before that, for so long, the router says that it is not ready and still takes requests, for load balancers that learn so late, milliseconds.',
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
    .describe('Sidecars to connect to, besides those in `spawn`.')
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
