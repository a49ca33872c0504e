// Reloads the settings while the router runs (SIGHUP): applies all changes or none. Each part has a `configure` for its
// live settings and keeps its state; engines are added and removed according to the lists.
import { isDeepStrictEqual } from 'node:util';
import type { Authorizer } from '../api/authorizer.ts';
import type { ApiServer } from '../api/server.ts';
import type { Reloaded } from '../api/settings.ts';
import type { CallerAccounts } from '../auth/caller-accounts.ts';
import { Callers } from '../auth/callers.ts';
import type { AnswerCache } from '../cache/answer-cache.ts';
import type { OtelSettings } from '../config/otel.ts';
import { describeChange, liveChanges } from '../config/reload.ts';
import type { Settings } from '../config/schema.ts';
import type { HttpServer } from '../dashboard/http-server.ts';
import type { EnginePool } from '../engines/pool.ts';
import type { Quarantine } from '../engines/quarantine.ts';
import type { SidecarList } from '../engines/sidecar-list.ts';
import type { Admission } from '../routing/admission.ts';
import type { Answer } from '../routing/answer.ts';
import type { Audit } from '../routing/audit.ts';
import type { LatencyQuantile } from '../routing/latency-quantile.ts';
import type { RetryBudget } from '../routing/retry-budget.ts';
import type { Router } from '../routing/router.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import type { Alerts } from '../telemetry/alerts.ts';
import type { Log } from '../telemetry/log.ts';
import type { SystemEvents } from '../telemetry/system-events.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import type { AgentsInUse } from './agents.ts';
import type { Discoveries } from './engine-sources.ts';
import { sessionOptions } from './sessions.ts';
import {
  admissionOptions,
  alertOptions,
  budgetLimits,
  cacheOptions,
  callerLimits,
  liveApiOptions,
  quarantineOptions,
  routerOptions,
  tracingOptions,
} from './options.ts';

export interface LiveParts {
  readonly log: Log;
  readonly system: SystemEvents;
  readonly otel: OtelSettings;
  readonly router: Router;
  readonly sessions: SessionStore;
  readonly admission: Admission;
  readonly budget: RetryBudget;
  readonly latencyQuantile: LatencyQuantile;
  readonly audit: Audit;
  readonly quarantine: Quarantine;
  readonly pool: EnginePool;
  readonly cache: AnswerCache<Answer> | undefined;
  readonly alerts: Alerts;
  readonly tracing: Tracing;
  readonly api: ApiServer;
  readonly authorizer: Authorizer;
  readonly accounts: CallerAccounts;
  readonly http: HttpServer | undefined;
  readonly sidecars: SidecarList;
  readonly discoveries: Discoveries;
  readonly agents: AgentsInUse;
}

export class LiveSettings {
  #inForce: Settings;
  readonly #parts: LiveParts;
  /** One reload at a time, in the order of the requests. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(settings: Settings, parts: LiveParts) {
    this.#inForce = settings;
    this.#parts = parts;
  }

  get inForce(): Settings {
    return this.#inForce;
  }

  /** Never rejects: the result is also an event of topic "config" and a log line. `read` may throw. */
  reload(read: () => Settings): Promise<Reloaded> {
    const reloaded = this.#last.then(() => this.#reload(read));
    this.#last = reloaded;
    return reloaded;
  }

  async #reload(read: () => Settings): Promise<Reloaded> {
    const { system, sidecars } = this.#parts;
    try {
      const was = this.#inForce;
      const next = read();
      const changes = liveChanges(was, next).map(describeChange);
      sidecars.check(next.sidecars);
      this.#inForce = next;
      this.#apply(was, next);
      await Promise.all([sidecars.replace(next.sidecars), this.#parts.discoveries.replace(next.discovery.targets)]);
      system.tell('config', 'INFO', 'settings read again', { changed: changes.join('; ') || 'nothing' });
      return { changes, refused: undefined };
    } catch (error) {
      const why = (error as Error).message;
      system.tell('config', 'ERROR', 'settings refused; the previous ones stay in force', { why });
      return { changes: [], refused: why };
    }
  }

  #apply(was: Settings, next: Settings): void {
    const { log, otel, router, admission, budget, latencyQuantile, audit, quarantine, pool, ...others } = this.#parts;
    const { sessions, cache, alerts, tracing, api, accounts, http, agents } = others;
    // Changes that an operator made at run time (SetStrategy, SIGUSR1) stay, unless this reload changes that setting.
    if (next.strategy !== was.strategy) router.strategy = next.strategy;
    if (next.log_level !== was.log_level) log.level = next.log_level;
    router.configure(routerOptions(next));
    sessions.configure(sessionOptions(next));
    admission.configure(admissionOptions(next));
    if (next.retry.budget_percent !== was.retry.budget_percent || next.max_in_flight !== was.max_in_flight) {
      budget.configure(next.max_in_flight, next.retry.budget_percent);
    }
    latencyQuantile.configure(next.hedged.percentile);
    audit.configure({ rate: next.vote.audit_rate });
    quarantine.configure(quarantineOptions(next));
    pool.configure({ panicPercent: next.panic_percent });
    cache?.configure(cacheOptions(next));
    alerts.configure(alertOptions(next));
    tracing.configure(tracingOptions(next, otel));
    if (!isDeepStrictEqual(next.auth, was.auth)) this.#changeCallers(next);
    accounts.configure(callerLimits(next));
    api.configure(liveApiOptions(next));
    http?.configure({ timeoutMs: next.request_timeout_ms, hosts: next.dashboard.hosts });
    agents.configure(budgetLimits(next));
    admission.serve();
    api.refreshHealth();
  }

  /** What a caller has open that may no longer call ends here, too. */
  #changeCallers({ auth }: Settings): void {
    const { authorizer, api, http, sessions } = this.#parts;
    authorizer.configure(new Callers(auth));
    api.callersChanged();
    http?.callersChanged();
    sessions.endOf((caller) => caller !== '' && !authorizer.knows(caller));
  }
}
