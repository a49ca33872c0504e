// What a running router offers to those who started it.
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
  /** Where administrative calls come in; empty: nowhere. */
  readonly adminAddress: string;
  /** Where clients of the old protocol come in; empty: nowhere. */
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
  /** As /readyz says. */
  readiness(): Readiness;
  /** Undefined: spans are sent nowhere. */
  exported(): ExportCounts | undefined;
  /** Where sidecars send theirs, as OTEL_EXPORTER_OTLP_ENDPOINT has it; undefined: nowhere. */
  readonly spansTo: string | undefined;
  /** Takes over what `read` gives, whole or not at all; see LiveSettings. */
  reload(read: () => Settings): Promise<Reloaded>;
  /** Refuses new work, finishes what is in flight, then stops everything that was started. */
  stop(): Promise<void>;
}

/** The world outside. */
export interface Overrides {
  /** A test may replace it. */
  readonly lookup?: Lookup;
  /** Errors that nothing caught, since the process started. */
  readonly bugs?: () => number;
  /** Reads the settings again, for callers of ReloadSettings; may throw. Default: those in force. */
  readonly readSettings?: () => Settings;
}
