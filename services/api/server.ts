// The gRPC server: serves the services at an address; a stop drains it.
import type { Socket } from 'node:net';
import type { CallerAccount } from '../auth/caller-account.ts';
import type { RouterError } from '../core/errors.ts';
import type { EnginePool } from '../engines/pool.ts';
import { Health } from '../grpc/health.ts';
import type { Method } from '../grpc/method.ts';
import type { ServerCertificate } from '../grpc/secure-server.ts';
import type { ModelRepository } from '../models/repository.ts';
import type { Operations } from '../operations/operations.ts';
import type { ModelPublisher } from '../publishing/publisher.ts';
import type { Router } from '../routing/router.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import type { EventLog } from '../telemetry/event-log.ts';
import type { Meter } from '../telemetry/meter.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { openAdminDoor } from './admin-door.ts';
import { type AgentParts, agentMethods } from './agents.ts';
import type { Authorizer } from './authorizer.ts';
import { Bridge, type BridgeSettings } from './bridge/bridge.ts';
import { type EdgeKind, createEdge } from './create-edge.ts';
import type { Edge, EdgeOptions } from './edge.ts';
import { type EngineAdminOptions, engineAdminMethods } from './engines.ts';
import { type EventOptions, eventMethods } from './events.ts';
import { learningMethods } from './learning.ts';
import { metricsMethods } from './metrics.ts';
import { modelMethods } from './models.ts';
import { Catalogue } from './oip/catalogue.ts';
import { oipHttp } from './oip/http.ts';
import { inferWith } from './oip/infer.ts';
import { oipMethods } from './oip/methods.ts';
import { InferenceStatistics } from './oip/statistics.ts';
import type { LearnParts } from './learn-stream.ts';
import { OpenCalls } from './open-calls.ts';
import { operationMethods } from './operations.ts';
import { reflectionMethods } from './reflection-methods.ts';
import { type ReasoningOptions, reasoningMethods } from './reasoning.ts';
import { sessionMethods } from './sessions.ts';
import { type SettingsOptions, settingsMethods } from './settings.ts';
import type { UnaryOptions } from './unary.ts';
import { countUnheard } from './unheard.ts';

export interface ApiParts {
  readonly router: Router;
  readonly pool: EnginePool;
  readonly models: ModelRepository;
  readonly publisher: ModelPublisher;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly meter: Meter;
  readonly sessions: SessionStore;
  readonly events: EventLog;
  readonly agents: AgentParts;
  readonly operations: Operations;
  readonly learning: Omit<LearnParts, 'router' | 'operations'>;
}

/** Options that may change while it serves. */
export interface LiveApiOptions
  extends Pick<UnaryOptions, 'timeoutMs'>, Pick<ReasoningOptions, 'maxBatchItems' | 'maxInFlight' | 'windowSize'> {}

interface ApiOptions
  extends
    LiveApiOptions,
    Pick<UnaryOptions, 'onInternalError'>,
    Pick<EngineAdminOptions, 'names' | 'register' | 'trust'>,
    Pick<EventOptions, 'maxSubscribers' | 'publishPerS'>,
    Pick<SettingsOptions, 'reload'>,
    Pick<
      EdgeOptions,
      'listen' | 'tls' | 'connections' | 'onConnectionFault' | 'maxMessageBytes' | 'maxStreamsPerConnection'
    > {
  readonly edge: EdgeKind;
  /** Address for administrative calls of a router at `address`; "off": none. */
  readonly adminListen: (address: string) => string;
  readonly authorizer: Authorizer;
  /** For clients of the old protocol. Undefined: none. */
  readonly bridge: BridgeSettings | undefined;
  /** Called for each refused call. */
  readonly onCallRefused: (path: string, error: RouterError) => void;
  readonly reflection: boolean;
  /** Whether the router can answer requests in its configuration. */
  readonly isReady: () => boolean;
}

const HEALTH_NAMES = ['', 'tandem.v1.ReasoningService'];
/** Time for the last answers to be sent after all calls have ended. */
const FLUSH_TIMEOUT_MS = 200;

export class ApiServer {
  /** The Open Inference Protocol for an HTTP/1.1 server: /v2/… */
  readonly inferenceHttp: ReturnType<typeof oipHttp>;
  readonly #methods: readonly Method[];
  readonly #edgeOptions: EdgeOptions;
  /** The public one, and the administrative one. */
  readonly #edges: Edge[] = [];
  /** Address of the administrative edge; empty: there is none. */
  adminAddress = '';
  /** Address of the bridge; empty: there is none. */
  bridgeAddress = '';
  #bridge: Bridge | undefined;
  readonly #health = new Health(HEALTH_NAMES);
  readonly #options: ApiOptions;
  readonly #drained = new AbortController();
  readonly #calls = new OpenCalls();
  /** Read by the handlers at every call. */
  readonly #live: { -readonly [name in keyof LiveApiOptions]: LiveApiOptions[name] };
  #isServing = false;

  constructor(parts: ApiParts, options: ApiOptions) {
    const { router, pool, models, publisher, metrics, tracing, meter, sessions, events } = parts;
    const { agents, operations, learning } = parts;
    this.#options = options;
    const shared = {
      ...options,
      observer: metrics,
      tracing,
      drained: this.#drained.signal,
      calls: this.#calls,
      authorize: (...call: Parameters<Authorizer['check']>) => this.#authorize(...call),
      strangerAt: (socket: Socket) => options.authorizer.strangerAt(socket),
      recheck: (...call: Parameters<Authorizer['check']>) => this.#check(...call),
      strategyChanged: () => this.refreshHealth(),
    };
    this.#live = shared;
    const catalogue = new Catalogue(models, pool);
    const statistics = new InferenceStatistics();
    const oip = { catalogue, statistics, publisher, infer: inferWith({ router, catalogue, statistics }, shared) };
    const { isReady } = options;
    this.inferenceHttp = oipHttp({ ...oip, isReady, maxItems: () => shared.maxBatchItems });
    this.#methods = [
      ...reasoningMethods(router, shared),
      ...modelMethods(models, pool, publisher, shared),
      ...engineAdminMethods(router, pool, shared),
      ...sessionMethods(sessions, shared),
      ...settingsMethods(shared),
      ...metricsMethods(meter, shared),
      ...eventMethods(events, shared),
      ...agentMethods(agents, shared),
      ...learningMethods({ router, operations, ...learning }, shared),
      ...operationMethods(operations, shared),
      ...oipMethods(oip, shared),
      ...this.#health.methods,
      ...(options.reflection ? reflectionMethods() : []),
    ];
    const onUnheard: EdgeOptions['onUnheard'] = (...about) => countUnheard(metrics, ...about);
    this.#edgeOptions = Object.assign(shared, { onUnheard });
  }

  #authorize(...[path, metadata, socket]: Parameters<Authorizer['check']>): RouterError | CallerAccount | undefined {
    const { authorizer, onCallRefused } = this.#options;
    const error = this.#check(path, metadata, socket);
    if (error !== undefined) return error;
    const account = authorizer.accountOf(path, metadata, socket);
    const tooMany = account?.begin();
    if (tooMany === undefined) return account;
    onCallRefused(path, tooMany);
    return tooMany;
  }

  #check(...[path, metadata, socket]: Parameters<Authorizer['check']>): RouterError | undefined {
    const { authorizer, onCallRefused } = this.#options;
    const error = authorizer.check(path, metadata, socket);
    if (error !== undefined) onCallRefused(path, error);
    return error;
  }

  /** Resolves to the bound address. */
  async start(): Promise<string> {
    const { edge: kind, listen, adminListen } = this.#options;
    const edge = await createEdge(kind, this.#methods, this.#edgeOptions);
    this.#edges.push(edge);
    const port = await edge.start();
    const address = listen.replace(/:0$/, `:${port}`);
    await this.#openBridge();
    const adminAddress = adminListen(address);
    if (adminAddress === 'off') return address;
    const door = await openAdminDoor(adminAddress, kind, this.#methods, this.#edgeOptions);
    this.#edges.push(door.edge);
    this.adminAddress = door.address;
    return address;
  }

  async #openBridge(): Promise<void> {
    const { bridge, authorizer } = this.#options;
    if (bridge === undefined) return;
    this.#bridge = new Bridge(this.#methods, {
      ...bridge,
      authorize: (...call) => this.#authorize(...call),
      isAuthRequired: () => authorizer.isRequired,
    });
    this.bridgeAddress = await this.#bridge.start();
  }

  /** Applies to new connections. */
  renew(certificate: ServerCertificate): void {
    for (const edge of this.#edges) edge.renew(certificate);
  }

  configure(options: LiveApiOptions): void {
    Object.assign(this.#live, options);
  }

  /** To be called when `authorizer` has other callers: open streams of those that may no longer make them end. */
  callersChanged(): void {
    for (const edge of this.#edges) edge.endRefused();
  }

  /** Updates grpc.health.v1 and its watchers. Call it when readiness may have changed. */
  refreshHealth(): void {
    const isServing = this.#options.isReady();
    if (isServing === this.#isServing) return;
    this.#isServing = isServing;
    this.#health.set(isServing);
  }

  /** Refuses new connections and calls and finishes those in flight. After `timeoutMs` they get DRAINING. */
  async stop(timeoutMs: number): Promise<void> {
    this.#drained.abort();
    this.#bridge?.drain();
    const gone = Promise.all(this.#edges.map((edge) => edge.drain()));
    await this.#calls.finish(timeoutMs);
    // Calls left at this point, such as health watches, never end by themselves.
    const { promise: late, resolve } = Promise.withResolvers<unknown>();
    const timer = setTimeout(resolve, FLUSH_TIMEOUT_MS);
    await Promise.race([gone, late]);
    clearTimeout(timer);
    for (const edge of this.#edges) edge.close();
    this.#bridge?.close();
  }
}
