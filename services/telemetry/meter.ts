// Combines counters and current states into one reading, which GetMetrics, the exposition, the alerts and the snapshot
// file share, so that they never differ.
import type { EngineState } from '../core/engine-state.ts';
import type { Metrics } from './metrics.ts';
import type { MetricsSnapshot, SavedMetrics } from './metrics-snapshot.ts';

/** The part of an engine that the metrics show. */
export interface MeteredEngine {
  readonly id: string;
  readonly kind: 'local' | 'sidecar';
  readonly state: EngineState;
  readonly breaker: {
    readonly state: 'CLOSED' | 'OPEN' | 'HALF_OPEN';
    readonly events?: readonly { readonly state: string; readonly why: string }[];
  };
  readonly inFlight: number;
  /** Model versions of the repository that it cannot serve, as "name/version". */
  readonly modelProblems: readonly { readonly model: string; readonly why: string }[];
  /** Why it takes no requests; empty if it does. */
  readonly unavailableReason: string;
  /** Its description; undefined while it is not connected. */
  readonly engine: { readonly description: object | undefined };
}

/** Sessions of clients. */
export interface MeteredSessions {
  /** Now. */
  readonly open: number;
  readonly bytes: number;
  /** Messages that wait for their turn. */
  readonly waiting: number;
  /** Since the process started, like the following fields. */
  readonly opened: number;
  /** By reason. */
  readonly ended: Readonly<Record<string, number>>;
  /** Messages answered by a different engine than the previous message. */
  readonly moved: number;
  readonly refused: number;
}

/** Current states. The totals are since the last reset. */
export interface Standing {
  /** In pool order. */
  readonly engines: readonly MeteredEngine[];
  readonly inFlight: number;
  /** Requests waiting for a free engine. */
  readonly waiting: number;
  /** Names of discovery with a problem, and the problem. */
  readonly names: readonly { readonly name: string; readonly why: string }[];
  /** Lines of the log that were dropped, since the process started. */
  readonly linesDropped: number;
  /** Calls of each named caller, and of all others together, since the process started; `refused`: over its limits. */
  readonly callers: ReadonlyMap<string, { readonly calls: number; readonly refused: number }>;
  /** Connections that failed in the TLS handshake. */
  readonly handshakesFailed: number;
  readonly cache: { readonly entries: number; readonly bytes: number; readonly evictions: number };
  readonly connections: { readonly open: number; readonly total: number };
  /** Client connections that ended with an error, by kind, since the process started. */
  readonly connectionFaults: ReadonlyMap<string, number>;
  readonly spans: { readonly dropped: number };
  /** Uncaught errors since the process started. */
  readonly bugs: number;
  /** Of events. */
  readonly subscribers: number;
  readonly sessions: MeteredSessions;
}

/** Sources of current states. Their totals are since the router started. */
export interface MeterSources {
  /** In pool order. */
  engines(): Standing['engines'];
  inFlight(): number;
  waiting(): number;
  names(): Standing['names'];
  linesDropped(): number;
  callers(): Standing['callers'];
  handshakesFailed(): number;
  cache(): Standing['cache'];
  connections(): Standing['connections'];
  connectionFaults(): Standing['connectionFaults'];
  /** Spans lost because too many waited for export. */
  spansDropped(): number;
  bugs(): number;
  subscribers(): number;
  sessions(): MeteredSessions;
}

export interface Reading {
  /** Milliseconds since 1970: only a label, since the system's clock may be set at any time. */
  readonly timeMs: number;
  /** By performance.now(): for durations between two readings. */
  readonly upMs: number;
  readonly counts: MetricsSnapshot;
  readonly standing: Standing;
}

/** Counts of other parts. */
interface Totals {
  readonly evictions: number;
  readonly connections: number;
  readonly spansDropped: number;
}

/** For a file. */
export interface SavedMeter {
  readonly metrics: SavedMetrics;
  readonly totals: Totals;
}

export class Meter {
  readonly #metrics: Metrics;
  readonly #sources: MeterSources;
  /** Values at the last reset, since the counting parts do not reset. Negative: counted by an earlier run. */
  #before: Totals = { evictions: 0, connections: 0, spansDropped: 0 };

  constructor(metrics: Metrics, sources: MeterSources) {
    this.#metrics = metrics;
    this.#sources = sources;
  }

  read(): Reading {
    const sources = this.#sources;
    const totals = this.#totals();
    const { entries, bytes } = sources.cache();
    return {
      timeMs: Date.now(),
      upMs: performance.now(),
      counts: this.#metrics.snapshot(),
      standing: {
        engines: sources.engines(),
        inFlight: sources.inFlight(),
        waiting: sources.waiting(),
        names: sources.names(),
        linesDropped: sources.linesDropped(),
        callers: sources.callers(),
        handshakesFailed: sources.handshakesFailed(),
        cache: { entries, bytes, evictions: totals.evictions },
        connections: { open: sources.connections().open, total: totals.connections },
        connectionFaults: sources.connectionFaults(),
        spans: { dropped: totals.spansDropped },
        bugs: sources.bugs(),
        subscribers: sources.subscribers(),
        sessions: sources.sessions(),
      },
    };
  }

  /** Returns the counts before the reset. */
  reset(): Reading {
    const until = this.read();
    const sources = this.#sources;
    const { open, total } = sources.connections();
    this.#before = {
      evictions: sources.cache().evictions,
      // Connected clients count as opened, so there are never more open than opened in total.
      connections: total - open,
      spansDropped: sources.spansDropped(),
    };
    this.#metrics.reset();
    return until;
  }

  save(): SavedMeter {
    const ids = this.#sources.engines().map(({ id }) => id);
    return { metrics: this.#metrics.save(ids), totals: this.#totals() };
  }

  /** Continues the counts of an earlier run. Call before anything is counted. */
  restore({ metrics, totals }: SavedMeter): void {
    this.#metrics.restore(metrics);
    const { evictions, connections, spansDropped } = totals;
    this.#before = { evictions: -evictions, connections: -connections, spansDropped: -spansDropped };
  }

  #totals(): Totals {
    const sources = this.#sources;
    return {
      evictions: sources.cache().evictions - this.#before.evictions,
      connections: sources.connections().total - this.#before.connections,
      spansDropped: sources.spansDropped() - this.#before.spansDropped,
    };
  }
}
