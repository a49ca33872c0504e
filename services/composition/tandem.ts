// The interface of a running router to its starter.
import type { Reloaded } from '../api/settings.ts';
import type { Settings } from '../config/schema.ts';
import type { Lookup } from '../engines/discovery.ts';
import type { EnginePool } from '../engines/pool.ts';
import type { Supervisor } from '../engines/supervisor.ts';
import type { ModelRepository } from '../models/repository.ts';
import type { ModelPublisher } from '../publishing/publisher.ts';
import type { Readiness } from '../routing/readiness.ts';
import type { Prometheus } from '../telemetry/prometheus.ts';
import type { ExportCounts } from '../telemetry/span-exporter.ts';
import type { TraceStore } from '../telemetry/trace-store.ts';
import type { Tracing } from '../telemetry/tracing.ts';

export interface Tandem {
  /** Bound address of the gRPC server. */
  readonly address: string;
  /** Address for administrative calls; empty: none. */
  readonly adminAddress: string;
  /** Address for clients of the old protocol; empty: none. */
  readonly bridgeAddress: string;
  /** Bound address of the dashboard; empty: there is none. */
  readonly httpAddress: string;
  readonly httpScheme: 'http' | 'https';
  readonly pool: EnginePool;
  readonly models: ModelRepository;
  readonly publisher: ModelPublisher;
  readonly supervisors: readonly Supervisor[];
  readonly prometheus: Prometheus;
  readonly traces: TraceStore;
  readonly tracing: Tracing;
  /** The state that /readyz reports. */
  readiness(): Readiness;
  /** Undefined: spans are not sent. */
  exported(): ExportCounts | undefined;
  /** Value of OTEL_EXPORTER_OTLP_ENDPOINT for sidecars; undefined: they send no spans. */
  readonly spansTo: string | undefined;
  /** Applies the settings that `read` returns, all or none; see LiveSettings. */
  reload(read: () => Settings): Promise<Reloaded>;
  /** Refuses new work, finishes work in flight, then stops everything that was started. */
  stop(): Promise<void>;
}

/** Dependencies on the environment. */
export interface Overrides {
  /** A test may replace it. */
  readonly lookup?: Lookup;
  /** Uncaught errors since the start of the process. */
  readonly bugs?: () => number;
  /** Reads the settings again for ReloadSettings; may throw. Default: returns the current settings. */
  readonly readSettings?: () => Settings;
}
