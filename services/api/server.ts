// The gRPC server: services in, address out, and a stop that drains.
import * as grpc from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { ConnectionLimit } from '../core/connection-limit.ts';
import type { EnginePool } from '../engines/pool.ts';
import type { ModelRepository } from '../models/repository.ts';
import type { Router } from '../routing/router.ts';
import type { EventLog } from '../telemetry/event-log.ts';
import type { Meter } from '../telemetry/meter.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { type AdminFrom, adminGuard } from './admin.ts';
import { bind } from './bind.ts';
import { boundedServer } from './bounded-server.ts';
import { type EngineAdminOptions, engineAdminHandlers, engineAdminService } from './engines.ts';
import { type EventOptions, eventHandlers, eventService } from './events.ts';
import { allowTimeouts, http2ServersOf, limitConnections } from './http2-servers.ts';
import { Intake } from './intake.ts';
import { metricsHandlers, metricsService } from './metrics.ts';
import { modelHandlers, modelService } from './models.ts';
import { OpenCalls } from './open-calls.ts';
import { reflection } from './reflection.ts';
import { type ReasoningOptions, reasoningHandlers, reasoningService } from './reasoning.ts';
import { widenWindows } from './session-window.ts';
import { steadyDeadline } from './steady-deadline.ts';
import type { UnaryOptions } from './unary.ts';

export interface ApiParts {
  readonly router: Router;
  readonly pool: EnginePool;
  readonly models: ModelRepository;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly meter: Meter;
  readonly events: EventLog;
}

/** What may change while it serves. */
export interface LiveApiOptions
  extends Pick<UnaryOptions, 'timeoutMs'>, Pick<ReasoningOptions, 'maxBatchItems' | 'maxInFlight' | 'windowSize'> {
  readonly adminFrom: AdminFrom;
}

export interface ApiOptions
  extends
    LiveApiOptions,
    Pick<UnaryOptions, 'onInternalError'>,
    Pick<EngineAdminOptions, 'names' | 'register' | 'trust'>,
    Pick<EventOptions, 'maxSubscribers' | 'publishPerS'> {
  readonly listen: string;
  readonly reflection: boolean;
  readonly maxMessageBytes: number;
  readonly maxStreamsPerConnection: number;
  readonly connections: ConnectionLimit;
  /** Whether the router can answer as it is configured. */
  readonly isReady: () => boolean;
  /** Folder of the proto files, for reflection. */
  readonly protoDir: string;
}

const HEALTH_NAMES = ['', 'tandem.v1.ReasoningService'];
const KEEPALIVE_MS = 60_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;
/** For answers on their way out when all calls have ended. */
const LAST_WORDS_MS = 200;

export class ApiServer {
  readonly #server: grpc.Server;
  readonly #health: HealthImplementation;
  readonly #intake: Intake;
  readonly #options: ApiOptions;
  readonly #drained = new AbortController();
  readonly #calls = new OpenCalls();
  /** Read by the handlers at every call. */
  readonly #live: { -readonly [name in keyof LiveApiOptions]: LiveApiOptions[name] };
  #isServing = false;

  constructor({ router, pool, models, metrics, tracing, meter, events }: ApiParts, options: ApiOptions) {
    this.#options = options;
    const shared = {
      ...options,
      observer: metrics,
      tracing,
      drained: this.#drained.signal,
      calls: this.#calls,
      guard: adminGuard(() => this.#live.adminFrom, options.listen),
      strategyChanged: () => this.refreshHealth(),
    };
    this.#live = shared;
    this.#intake = new Intake(shared);
    this.#server = new grpc.Server({
      interceptors: [steadyDeadline, this.#intake.interceptor],
      'grpc.max_receive_message_length': options.maxMessageBytes,
      'grpc.max_concurrent_streams': options.maxStreamsPerConnection,
      'grpc.enable_channelz': 0,
      // A peer that is gone without a word gives its file descriptor back.
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    });
    this.#server.addService(reasoningService(shared), reasoningHandlers(router, shared));
    this.#server.addService(modelService, modelHandlers(models, pool, shared));
    this.#server.addService(engineAdminService, engineAdminHandlers(router, pool, shared));
    this.#server.addService(metricsService, metricsHandlers(meter, shared));
    this.#server.addService(eventService, eventHandlers(events, shared));
    this.#health = new HealthImplementation(Object.fromEntries(HEALTH_NAMES.map((name) => [name, 'NOT_SERVING'])));
    const bounded = boundedServer(this.#server);
    this.#health.addToServer(bounded);
    if (options.reflection) reflection(options.protoDir).addToServer(bounded);
  }

  /** Resolves to the bound address. */
  async start(): Promise<string> {
    const { listen, connections } = this.#options;
    allowTimeouts(this.#server);
    const port = await bind(this.#server, listen);
    for (const each of http2ServersOf(this.#server)) {
      limitConnections(each, connections);
      widenWindows(each);
      this.#intake.listen(each);
    }
    return listen.replace(/:0$/, `:${port}`);
  }

  configure(options: LiveApiOptions): void {
    Object.assign(this.#live, options);
  }

  /** Has grpc.health.v1 answer, and its watchers hear, whether the router is ready now. To be called when that may change. */
  refreshHealth(): void {
    const isServing = this.#options.isReady();
    if (isServing === this.#isServing) return;
    this.#isServing = isServing;
    for (const name of HEALTH_NAMES) this.#health.setStatus(name, isServing ? 'SERVING' : 'NOT_SERVING');
  }

  /** Refuses new connections and calls, and finishes those in flight; after `timeoutMs` they are answered DRAINING. */
  async stop(timeoutMs: number): Promise<void> {
    this.#drained.abort();
    this.#intake.stop();
    const gone = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    await this.#calls.finish(timeoutMs);
    // grpc-js knows its connections only with channelz on, so that its forceShutdown() would cut none of them: what is
    // left then, such as a watch on our health, ends with the process.
    const { promise: late, resolve } = Promise.withResolvers<unknown>();
    const timer = setTimeout(resolve, LAST_WORDS_MS);
    await Promise.race([gone, late]);
    clearTimeout(timer);
  }
}
