// The composition root: the only place that connects the parts. Code that builds single parts is in composition/.
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { reasonJson } from './api/reason-json.ts';
import { Authorizer } from './api/authorizer.ts';
import { ApiServer } from './api/server.ts';
import type { Reloaded } from './api/settings.ts';
import { atMost } from './core/at-most.ts';
import { CallerAccounts } from './auth/caller-accounts.ts';
import { Callers } from './auth/callers.ts';
import { AnswerCache } from './cache/answer-cache.ts';
import { makeAgents } from './composition/agents.ts';
import { makeCorpora } from './composition/corpora.ts';
import { type Tell, checkDescriptors, connectionLimits, watchDescriptors } from './composition/descriptors.ts';
import { Disputes } from './composition/disputes.ts';
import { forgetDistrusted } from './composition/distrusted.ts';
import { EngineSockets } from './composition/engine-sockets.ts';
import {
  Discoveries,
  engineAddresses,
  engineRegistrar,
  goldenOf,
  spawnedSidecars,
  supervisorEvents,
} from './composition/engine-sources.ts';
import { learning, toStudentViews } from './composition/learning.ts';
import { LiveSettings } from './composition/live-settings.ts';
import {
  admissionOptions,
  alertOptions,
  breakerOptions,
  bridgeOptions,
  cacheOptions,
  callerLimits,
  liveApiOptions,
  quarantineOptions,
  routerOptions,
} from './composition/options.ts';
import { type PoolListeners, poolEvents } from './composition/pool-events.ts';
import { Publishing } from './composition/publishing.ts';
import { tellRefusal } from './composition/refusals.ts';
import { RouterTls } from './composition/router-tls.ts';
import { startSessions } from './composition/sessions.ts';
import { stateLocks } from './composition/state-locks.ts';
import type { Overrides, Tandem } from './composition/tandem.ts';
import { startTraces } from './composition/traces.ts';
import { defaultAdminSocket } from './config/admin-socket.ts';
import { clientFlags } from './config/client-flags.ts';
import { readOtel, sidecarEnvironment } from './config/otel.ts';
import { otlpMetrics } from './config/otlp-metrics.ts';
import type { Settings } from './config/schema.ts';
import { HttpServer } from './dashboard/http-server.ts';
import type { DashboardSources } from './dashboard/sources.ts';
import { systemLookup } from './engines/discovery.ts';
import type { Engine } from './engines/engine.ts';
import { LocalEngine } from './engines/local/local-engine.ts';
import { isLoopbackAddress } from './core/loopback.ts';
import { RepositoryModels } from './engines/local/repository-models.ts';
import { EnginePool } from './engines/pool.ts';
import { Quarantine } from './engines/quarantine.ts';
import { SidecarList } from './engines/sidecar-list.ts';
import { SidecarEngine } from './engines/sidecar/sidecar-engine.ts';
import { Supervisor } from './engines/supervisor.ts';
import type { GoldenCase } from './models/golden.ts';
import { ModelRepository } from './models/repository.ts';
import { Operations } from './operations/operations.ts';
import { Admission } from './routing/admission.ts';
import type { Answer } from './routing/answer.ts';
import { Audit } from './routing/audit.ts';
import { CpuOverload } from './routing/cpu-overload.ts';
import type { Dispute } from './routing/dispute.ts';
import { LatencyQuantile } from './routing/latency-quantile.ts';
import type { Readiness } from './routing/readiness.ts';
import { RetryBudget } from './routing/retry-budget.ts';
import { Router } from './routing/router.ts';
import { Alerts } from './telemetry/alerts.ts';
import { ConnectionFaults } from './telemetry/connection-faults.ts';
import { ClientConnections } from './telemetry/connections.ts';
import { EventLog } from './telemetry/event-log.ts';
import type { Log } from './telemetry/log.ts';
import { Meter } from './telemetry/meter.ts';
import { Metrics } from './telemetry/metrics.ts';
import { startOtlpMetrics } from './telemetry/otlp-metrics.ts';
import { logOutput } from './telemetry/output.ts';
import { Prometheus } from './telemetry/prometheus.ts';
import { SheddingEvents } from './telemetry/shedding.ts';
import { SnapshotFile } from './telemetry/snapshot-file.ts';
import { SystemEvents } from './telemetry/system-events.ts';

/** Time for engines to stop after requests have used up the drain time. */
const LAST_ENGINES_MS = 150;

export type { Tandem };

/** Starts everything in `settings`. Resolves when the router accepts requests. */
export async function start(
  settings: Settings,
  log: Log,
  onSidecarLine: (line: string) => void = (line) => logOutput.write(`${line}\n`),
  { lookup = systemLookup, bugs = () => 0, readSettings }: Overrides = {},
): Promise<Tandem> {
  checkDescriptors();
  if (existsSync(settings.models_dir)) await Publishing.recover(settings.models_dir);
  const models = ModelRepository.read(settings.models_dir, settings.default_model);
  const metrics = new Metrics();
  const connections = new ClientConnections();
  const connectionFaults = new ConnectionFaults(log);
  const { max_events: maxEvents, max_bytes: maxEventBytes } = settings.events;
  const eventLog = new EventLog({ maxEvents, maxBytes: maxEventBytes, observer: metrics });
  const system = new SystemEvents(log, eventLog);
  const agents = makeAgents(settings, metrics, system);
  const tls = new RouterTls(settings, system);
  const otel = readOtel(settings.tracing.ratio);
  for (const warning of otel.warnings) log.warn(warning);
  const traces = await startTraces(settings, otel, metrics, log, () => engineAddresses(pool, spawned));
  const { tracing, spansTo, spanToken } = traces;

  const sockets = new EngineSockets();
  const spawned = await spawnedSidecars(settings, sidecarEnvironment(spansTo, spanToken), sockets);
  const supervisors = spawned.map((sidecar) => new Supervisor(sidecar, supervisorEvents(log, onSidecarLine)));
  const outputsOf = (model: string, version: number): number | undefined => pins.find(model, version)?.outputSize;
  const connect = (id: string, address: string): Engine => {
    const tls = settings.sidecar_tls.ca === '' ? undefined : settings.sidecar_tls;
    return new SidecarEngine(id, address, settings.stall_timeout_ms, outputsOf, tls);
  };
  let isStopping = false;
  const listeners = (): PoolListeners => ({ discoveries, publishing, admission, system, api, metrics });
  // The admission is called with every answer.
  const events = { ...poolEvents(() => isStopping, listeners), roomFreed: () => admission.serve() };
  const admission = new Admission(admissionOptions(settings));
  const overload = new CpuOverload();
  const { models_dir: modelsDir, local } = settings;
  const { default_model: defaultModel } = settings;
  const known = (name: string, version: number): readonly GoldenCase[] => models.get(name, version)?.golden ?? [];
  const pins = new RepositoryModels({ modelsDir, defaultModel, keepsNetworks: local.enabled, known });
  const pool = new EnginePool(pins, breakerOptions(settings), events, settings.panic_percent);
  const publishing = new Publishing(settings, {
    ...{ models, pins, pool, system },
    changed: () => {
      admission.serve();
      api.refreshHealth();
    },
    distrust: (engine, why) => quarantine.distrust(engine, why),
  });
  pins.onChange((pin) => {
    if (isStopping) return;
    const { name, version, doubts = [] } = pin;
    for (const doubt of doubts) log.warn({ model: `${name}/${version}`, doubt }, 'file and model.yaml may not fit');
    const error = publishing.publisher.adopt(pin);
    if (error !== '') {
      const what = { model: `${name}/${version}`, why: error };
      const text = 'the router cannot use a model; mend its files, then "npx tandem models load"';
      system.tell('model', 'ERROR', text, what);
    }
    pool.pinsChanged();
    admission.serve();
    api.refreshHealth();
  });
  if (local.enabled) {
    const recorderBytes = settings.recorder.max_bytes;
    pool.add(new LocalEngine({ id: 'local', modelsDir, models: pins, workers: local.workers, recorderBytes }));
  }
  for (const [index, { id, address }] of spawned.entries()) {
    const whyAway = (): string => supervisors[index]!.whyAway;
    pool.add(new SidecarEngine(id, address, settings.stall_timeout_ms, outputsOf, undefined, whyAway));
  }
  for (const { id, address } of settings.sidecars) pool.add(connect(id, address));
  const sidecars = new SidecarList(pool, connect, settings.sidecars);
  const discoveries = new Discoveries(
    { pool, connect, lookup, intervalMs: settings.discovery.interval_ms },
    log,
    system,
  );

  const cache = settings.cache.enabled ? new AnswerCache<Answer>(cacheOptions(settings)) : undefined;
  const quarantine = new Quarantine(
    pool,
    quarantineOptions(settings),
    (engine) => goldenOf(models, engine),
    () => forgetDistrusted(cache, pool),
  );
  const disputes = new Disputes({ pool, quarantine, system, pins }, settings, log);
  const onDispute = (dispute: Dispute): void => disputes.add(dispute);
  const latencyQuantile = new LatencyQuantile(settings.hedged.percentile);
  const audit = new Audit({
    ...{ rate: settings.vote.audit_rate, observer: metrics, onDispute },
    onProblem: (err) => log.error({ err }, 'audit'),
  });
  const budget = new RetryBudget(settings.max_in_flight, settings.retry.budget_percent);
  const sessions = startSessions(settings, system);
  const router = new Router(models, pool, cache, sessions, {
    ...routerOptions(settings),
    strategy: settings.strategy,
    ...{ latencyQuantile, audit, admission, overload, budget, onDispute, observer: metrics },
  });
  const readiness = (): Readiness => {
    if (isStopping) return { isReady: false, why: 'the router is stopping' };
    const { isReady, why } = router.readiness;
    return { isReady, why: [why, ...discoveries.problems.map(({ name, why }) => `name ${name}: ${why}`)].join('; ') };
  };
  const cacheStats = (): { entries: number; bytes: number; evictions: number } =>
    cache?.stats ?? { entries: 0, bytes: 0, evictions: 0 };
  const accounts = new CallerAccounts(callerLimits(settings));
  const meter = new Meter(metrics, {
    engines: () => pool.engines,
    inFlight: () => router.inFlight,
    waiting: () => admission.waiting,
    names: () => discoveries.problems,
    linesDropped: () => logOutput.dropped,
    callers: () => accounts.counts,
    handshakesFailed: () => tls.handshakesFailed,
    cache: cacheStats,
    connections: () => connections,
    connectionFaults: () => connectionFaults.counts,
    subscribers: () => eventLog.subscribers,
    sessions: () => sessions.stats,
    spansDropped: () => traces.dropped(),
    bugs,
  });
  const { snapshot_file: file, snapshot_interval_ms: intervalMs } = settings.metrics;
  const onProblem = (err: unknown): void => log.error({ err }, 'metrics file');
  const snapshots = file ? new SnapshotFile(meter, { file, intervalMs, onProblem }) : undefined;
  const alerts = new Alerts(
    () => meter.read(),
    alertOptions(settings),
    ({ name, isFiring, text }) => {
      system.tell('alert', isFiring ? 'WARNING' : 'INFO', isFiring ? text : `${name} is over`, { name });
    },
  );
  const shedding = new SheddingEvents(metrics, system);
  const prometheus = new Prometheus(() => meter.read());
  const onInternalError = (path: string, error: unknown, traceId?: string): void => {
    log.error({ trace_id: traceId, path, err: (error as Error).cause ?? error }, 'internal error');
  };
  const tellDescriptors: Tell = (severity, text, data) => system.tell('alert', severity, text, data);
  const limits = connectionLimits(
    { workers: local.enabled ? local.workers : 0, spawned: spawned.length },
    tellDescriptors,
  );
  const stopWatching = watchDescriptors(tellDescriptors);
  const authorizer = new Authorizer(new Callers(settings.auth), accounts);
  const locks = stateLocks(settings, log);
  const operations = new Operations(locks.operations);
  const learners = learning(settings, { models, pool, publisher: publishing.publisher, system, locks });
  const corpora = makeCorpora(settings, { models, router, operations }, log);
  const api = new ApiServer(
    {
      ...{ router, pool, models, publisher: publishing.publisher, metrics, tracing, meter, sessions, events: eventLog },
      ...{ operations, learning: learners },
      agents: { agents: agents.agents, retriever: corpora.retriever, indexing: corpora.indexing },
    },
    {
      ...liveApiOptions(settings),
      ...{ listen: settings.listen, edge: settings.edge, tls: tls.listenTls },
      bridge: bridgeOptions(settings),
      adminListen: (address) => settings.admin.listen || defaultAdminSocket(address),
      ...{ authorizer, onCallRefused: (path, error) => tellRefusal(system, path, error) },
      connections: limits.grpc,
      reflection: settings.reflection,
      maxMessageBytes: settings.max_message_bytes,
      maxStreamsPerConnection: settings.max_streams_per_connection,
      maxSubscribers: settings.events.max_subscribers,
      publishPerS: settings.events.publish_per_s,
      isReady: () => readiness().isReady,
      trust: (engine) => quarantine.readmit(engine),
      reload: (): Promise<Reloaded> => live.reload(readSettings ?? (() => live.inForce)),
      names: () => discoveries.problems,
      register: engineRegistrar(pool, connect, (): readonly string[] => live.inForce.admin.engine_addresses),
      onInternalError,
      onConnectionFault: (fault) => connectionFaults.add(fault),
    },
  );
  let clientAddress = '';
  const shown: DashboardSources = {
    ...{ models, pins, router, sessions, readiness },
    engines: () => pool.engines,
    alerts: () => alerts.raised,
    client: () => ({ address: clientAddress, flags: clientFlags(settings) }),
    read: () => meter.read(),
    traces: traces.store,
    disputes: disputes.recent,
    events: eventLog,
    learning: () => toStudentViews(learners.students),
    exposition: (accept) => prometheus.exposition(accept),
    inference: (call) => api.inferenceHttp(call),
    reason:
      (settings.dashboard.try_requests ?? isLoopbackAddress(settings.http_listen))
        ? (request, context) => reasonJson(request, router, context, { observer: metrics, onInternalError, tracing })
        : undefined,
  };
  const http = ['', 'off'].includes(settings.http_listen)
    ? undefined
    : new HttpServer(shown, {
        listen: settings.http_listen,
        certificate: tls.httpCertificate,
        authorize: (...request) => authorizer.checkHttp(...request),
        connections: limits.http,
        hosts: settings.dashboard.hosts,
        maxBodyBytes: settings.max_message_bytes,
        timeoutMs: settings.request_timeout_ms,
        onInternalError,
      });
  tls.onRenewed((certificate) => {
    api.renew(certificate);
    http?.renew(certificate);
  });
  const live = new LiveSettings(settings, {
    ...{ log, system, otel, router, sessions, admission, budget, latencyQuantile, audit, quarantine, pool, cache },
    ...{ alerts, tracing, api, authorizer, accounts, http, sidecars, discoveries, agents },
  });
  const otlp = otlpMetrics();
  let pushing: { stop(): Promise<void> } | undefined;

  const stop = async (): Promise<void> => {
    const { drain_delay_ms: drainDelayMs, drain_timeout_ms: drainTimeoutMs } = live.inForce;
    isStopping = true;
    system.stop();
    api.refreshHealth();
    discoveries.stop();
    // Without a delay, the port is closed at once when readiness is withdrawn.
    if (drainDelayMs > 0) await delay(drainDelayMs);
    const endMs = performance.now() + drainTimeoutMs;
    const leftMs = (): number => Math.max(LAST_ENGINES_MS, endMs - performance.now());
    await api.stop(drainTimeoutMs); // /readyz still gives the reason
    await http?.stop(leftMs());
    await atMost(leftMs(), learners.students.stop());
    await corpora.stop();
    await atMost(leftMs(), publishing.stop());
    // All callers have an answer or an error. Audits, probes and other background work need not be waited for.
    await atMost(leftMs(), Promise.all(pool.engines.map(({ engine }) => engine.stop())));
    await pins.stop();
    await Promise.all(supervisors.map((supervisor) => supervisor.stop(leftMs())));
    sockets.remove();
    await traces.stop(); // the sidecars' last spans have arrived
    quarantine.stop();
    sessions.stop();
    await disputes.stop();
    for (const { breaker } of pool.engines) breaker.stop();
    agents.stop();
    connections.stop();
    tls.stop();
    connectionFaults.stop();
    overload.stop();
    stopWatching();
    shedding.stop();
    alerts.stop();
    await pushing?.stop();
    await snapshots?.stop();
    locks.release();
  };
  try {
    await snapshots?.start();
    pushing =
      otlp &&
      (await startOtlpMetrics(() => meter.read(), otlp, {
        failing: (why) => log.warn({ protocol: otlp.protocol, why }, 'metrics do not reach the collector'),
        recovered: () => log.info({ protocol: otlp.protocol }, 'metrics reach the collector again'),
      }));
    const address = await api.start();
    clientAddress = address;
    connections.listen(address);
    const httpAddress = (await http?.start()) ?? '';
    const reading = pins.load();
    reading.catch(() => undefined); // awaited below
    await Promise.all(supervisors.map((supervisor) => supervisor.start()));
    const starts = pool.engines.map(({ engine }) => engine.start());
    await Promise.all([reading, ...starts, discoveries.replace(settings.discovery.targets)]);
    pool.settle();
    publishing.start();
    void corpora.indexing.resume();
    void learners.students.start((student, err) => log.error({ student, err }, 'a student cannot be read'));
    overload.start(); // not earlier: reading models blocks the event loop
    shedding.start();
    if (settings.alerts.enabled) alerts.start();
    return {
      ...{
        address,
        adminAddress: api.adminAddress,
        bridgeAddress: api.bridgeAddress,
        httpAddress,
        httpScheme: tls.httpCertificate === undefined ? 'http' : 'https',
        pool,
        models,
        publisher: publishing.publisher,
        supervisors,
        prometheus,
        tracing,
        spansTo,
        stop,
      },
      traces: traces.store,
      exported: () => traces.exported(),
      readiness,
      reload: (read) => live.reload(read),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
