// Every setting: default, range, unit and meaning. Names end in their unit.
// As YAML: `spawn: {count: 3}`. From the environment: TANDEM_SPAWN_COUNT=3. Flags: see `npm start -- --help`.
import { z } from 'zod';
import { voteSchema } from './vote.ts';

const port = z.int().min(0).max(65_535);

/** A host or [IPv6] with a port from 1 to 65,535, or a Unix socket. */
const ADDRESS =
  /^(unix:.+|(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]))$/;

/** As ADDRESS, but no socket; and the system may choose the port. */
const LISTEN =
  /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])$/;

export const sidecarSchema = z
  .strictObject({
    id: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be letters, digits, ".", "_" or "-", at most 63')
      .describe('Name of the engine, unique in the deployment.'),
    address: z
      .string()
      .regex(ADDRESS, 'must be "host:port" or "unix:/path/to.sock"')
      .describe('Where it listens. Examples: "127.0.0.1:50061", "unix:/run/tandem/engine-1.sock".'),
  })
  .describe('A sidecar that somebody else starts.');

const targetSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,22}$/, 'must be letters, digits, ".", "_" or "-", at most 23')
      .describe('What the names of its engines begin with: "engine" makes "engine-10-0-0-3".'),
    address: z
      .string()
      .regex(ADDRESS, 'must be "host:port"')
      .regex(/^(?!unix:)/, 'must be "host:port"')
      .describe('Where they listen. Example: "engine:50061".'),
  })
  .describe('Sidecars that share a host name.');

export const settingsSchema = z.strictObject({
  listen: z
    .string()
    .min(1)
    .default('0.0.0.0:50051')
    .describe('Address of the gRPC server; port 0: the system chooses.'),
  http_listen: z
    .string()
    .regex(new RegExp(`^(off)?$|${LISTEN.source}`), 'must be "host:port", or "off"')
    .default('127.0.0.1:8080')
    .describe(
      'Address of the dashboard, /metrics, /healthz and /readyz, which ask for no login; port 0: the system chooses; "off" or empty: none.',
    ),
  dashboard: z
    .strictObject({
      try_requests: z
        .boolean()
        .default(false)
        .describe('Whether whoever sees the dashboard may send a request to a model from it.'),
    })
    .prefault({})
    .describe('The pages at `http_listen`.'),
  reflection: z
    .boolean()
    .default(false)
    .describe('Serve gRPC reflection, for grpcurl and the like. `npm start` does so unless this is set.'),
  models_dir: z.string().min(1).default('deploy/models').describe('The model repository: <model>/<version>/model.nir.'),
  default_model: z.string().default('supersense').describe('The model of requests that name none.'),
  strategy: z
    .enum(['ROUND_ROBIN', 'LOCAL_FIRST', 'SIDECAR_FIRST', 'FASTEST', 'REDUNDANT', 'AFFINITY', 'HEDGED'])
    .default('ROUND_ROBIN')
    .describe('How engines are chosen where the request does not say.'),
  local_first_share: z
    .number()
    .min(0)
    .max(1)
    .default(0.8)
    .describe('Share of requests that LOCAL_FIRST gives to the local engine, 0 to 1.'),
  sidecar_first_share: z
    .number()
    .min(0)
    .max(1)
    .default(0.8)
    .describe('Share of requests that SIDECAR_FIRST gives to the sidecars, 0 to 1.'),
  vote: voteSchema.prefault({}).describe('The strategy REDUNDANT, and how its answers are judged.'),
  quarantine: z
    .strictObject({
      dissents: z.int().min(1).max(1_000).default(3).describe('Dissents within the window that put an engine out.'),
      window_ms: z.int().min(1_000).max(86_400_000).default(600_000).describe('How far back dissents count.'),
      sit_out_ms: z
        .int()
        .min(10)
        .max(86_400_000)
        .default(5_000)
        .describe('The first pause before a quarantined engine is tried with known inputs; doubles each time.'),
      sit_out_max_ms: z.int().min(10).max(86_400_000).default(300_000).describe('The longest such pause.'),
    })
    .prefault({})
    .describe('Keeping out engines that contradict the majority.'),
  disputes: z
    .strictObject({
      file: z
        .string()
        .default('')
        .describe('Where disputes are written, one JSON line each; empty: nowhere but the log.'),
      max_bytes: z
        .int()
        .min(65_536)
        .max(1_099_511_627_776)
        .default(16_777_216)
        .describe('Size at which it is rotated.'),
      files: z.int().min(1).max(1_000).default(4).describe('Files kept: the present one and older ones.'),
      input: z
        .enum(['included', 'hashed'])
        .default('included')
        .describe('Whether the input is written, so that "tandem replay" can run it again, or its hash alone.'),
    })
    .prefault({})
    .describe('Records of votes and audits in which engines contradicted each other.'),
  events: z
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
    .describe('EventService: what happens, broadcast to whoever subscribes.'),
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
    .describe('When all engines have as much to do as they can work off: the router finds that out by itself.'),
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
    .describe('The strategy HEDGED.'),
  retry: z
    .strictObject({
      max_attempts: z.int().min(1).max(64).default(3).describe('Engines that one request may ask in turn.'),
      attempt_timeout_ms: z
        .int()
        .min(1)
        .max(3_600_000)
        .default(10_000)
        .describe('An engine that has not answered by then is given up where another can be asked, milliseconds.'),
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
    .describe('Asking another engine when one fails.'),
  breaker: z
    .strictObject({
      failure_percent: z.int().min(1).max(100).default(50).describe('Share of failures that opens it, percent.'),
      min_requests: z.int().min(1).max(100_000).default(5).describe('Fewer than these in the window never open it.'),
      window_ms: z.int().min(100).max(600_000).default(10_000).describe('How far back it looks, milliseconds.'),
      reset_ms: z.int().min(10).max(600_000).default(500).describe('Open for so long, then one request may try.'),
    })
    .prefault({})
    .describe('The circuit breaker of each engine.'),
  panic_percent: z
    .int()
    .min(0)
    .max(100)
    .default(50)
    .describe(
      'With fewer breakers closed among the connected engines of a model, percent, and two or more that are not, they are ignored; 0: never.',
    ),
  slow_start_ms: z
    .int()
    .min(0)
    .max(600_000)
    .default(2_000)
    .describe(
      'An engine that comes later, or back, gets its share of the requests little by little over so long, milliseconds; 0: at once.',
    ),
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
        .describe('An answer is fresh for so long, milliseconds.'),
      stale_ms: z
        .int()
        .min(0)
        .max(2_592_000_000)
        .default(3_600_000)
        .describe('… and for so long after that it may still answer when no engine can; 0: never.'),
    })
    .prefault({})
    .describe('The result cache.'),
  metrics: z
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
    .describe('What the router counts.'),
  alerts: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Raise alerts: a line in the log, and an event of topic "alert".'),
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
    .describe('Alerts, the same as deploy/prometheus/tandem.rules.yml.'),
  max_batch_items: z.int().min(1).max(100_000).default(1_024).describe('Requests in one ReasonBatch.'),
  stream_window: z
    .int()
    .min(1)
    .max(10_000)
    .default(128)
    .describe('Unanswered requests of one ReasonStream, or of one ReasonBatch, under way at once.'),
  admin_from: z
    .enum(['loopback', 'anywhere', 'nowhere'])
    .default('loopback')
    .describe('From where calls are taken that change the engine pool, the strategy or the metrics.'),
  request_timeout_ms: z
    .int()
    .min(1)
    .max(3_600_000)
    .default(30_000)
    .describe('Deadline of requests that bring none, and the longest that one may bring, milliseconds.'),
  max_message_bytes: z
    .int()
    .min(1_024)
    .max(268_435_456)
    .default(4_194_304)
    .describe('Largest request accepted, bytes; a larger one is refused with RESOURCE_EXHAUSTED.'),
  max_in_flight: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(4_096)
    .describe('Requests under way at once before the router refuses with ROUTER_FULL.'),
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
    .default(10_000)
    .describe('How long a stop waits for what is in flight, milliseconds.'),
  local: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Run the TypeScript engine inside the router.'),
      workers: z.int().min(1).max(64).default(1).describe('Its worker threads.'),
    })
    .prefault({})
    .describe('The engine inside the router.'),
  sidecars: z.array(sidecarSchema).max(64).default([]).describe('Sidecars to connect to, besides those in `spawn`.'),
  discovery: z
    .strictObject({
      targets: z
        .array(targetSchema)
        .max(16)
        .refine((targets) => new Set(targets.map(({ name }) => name)).size === targets.length, {
          error: 'must be targets with names of their own',
        })
        .default([])
        .describe('Host names to resolve.'),
      interval_ms: z
        .int()
        .min(100)
        .max(600_000)
        .default(2_000)
        .describe(
          'They are resolved anew this long after the last time, and whenever an engine is lost, milliseconds.',
        ),
    })
    .prefault({})
    .describe('Sidecars found by DNS: every address of a host name is one, and they come and go as its addresses do.'),
  spawn: z
    .strictObject({
      count: z
        .int()
        .min(0)
        .max(64)
        .optional()
        .describe(
          'C++ sidecars that the router starts and keeps running. Unset: 2, or none where `sidecars` or `discovery` names some.',
        ),
      base_port: port.min(1).default(50_061).describe('Port of the first one; the next ones follow. On 127.0.0.1.'),
      socket_dir: z.string().default('').describe('Where set, they listen on Unix sockets in this folder instead.'),
      binary: z.string().min(1).default('sidecar-cpp/build/release/tandem-engine').describe('The program to start.'),
      threads: z.int().min(1).max(256).default(1).describe('Simulating threads of each.'),
    })
    .prefault({})
    .describe('Sidecars on this machine that come and go with the router.'),
  tracing: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Note down what happens to each request, and keep some of it.'),
      ratio: z
        .number()
        .min(0)
        .max(1)
        .default(0.01)
        .describe(
          'Share of requests whose trace is kept, 0 to 1, where the caller has not decided; OTEL_TRACES_SAMPLER overrides it.',
        ),
      slow_ms: z
        .int()
        .min(0)
        .max(3_600_000)
        .default(1_000)
        .describe(
          'Traces of requests that take so long are kept, as those of failures and disputes are, milliseconds; 0: not for that.',
        ),
      span_listen: z
        .string()
        .regex(LISTEN, 'must be "host:port"')
        .default('127.0.0.1:0')
        .describe(
          'Where sidecars send their spans, as OTLP over gRPC, with no login: loopback, or a private network; port 0: the system chooses.',
        ),
      layers: z
        .boolean()
        .default(false)
        .describe('Sidecars tell the time of every node of the network in the traces that are sampled.'),
    })
    .prefault({})
    .describe(
      'Traces of requests. Where they are sent to is said by OpenTelemetry’s own variables, OTEL_EXPORTER_OTLP_….',
    ),
  log_level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('Least severe log line to write.'),
});

export type Settings = z.infer<typeof settingsSchema>;
