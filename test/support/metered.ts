// A meter with sources that a test controls.
import { Meter, type MeteredEngine, type MeteredSessions, type MeterSources } from '../../services/telemetry/meter.ts';
import { Metrics } from '../../services/telemetry/metrics.ts';

export function meteredEngine(id: string, over: Partial<MeteredEngine> = {}): MeteredEngine {
  return {
    ...{ id, kind: 'sidecar', state: 'READY', breaker: { state: 'CLOSED' }, inFlight: 0, engine: { description: {} } },
    modelProblems: [],
    unavailableReason: '',
    ...over,
  };
}

/** A test may change it. */
export interface MeteredSystem {
  engines: readonly MeteredEngine[];
  inFlight: number;
  waiting: number;
  names: readonly { name: string; why: string }[];
  linesDropped: number;
  cache: { entries: number; bytes: number; evictions: number };
  connections: { open: number; total: number };
  connectionFaults: ReadonlyMap<string, number>;
  spansDropped: number;
  bugs: number;
  subscribers: number;
  sessions: MeteredSessions;
}

export function noSessions(): MeteredSessions {
  return { open: 0, bytes: 0, waiting: 0, opened: 0, ended: { CLOSED: 0 }, moved: 0, refused: 0 };
}

export function metered(over: Partial<MeteredSystem> = {}): { metrics: Metrics; meter: Meter; around: MeteredSystem } {
  const around: MeteredSystem = {
    ...{ engines: [], inFlight: 0, waiting: 0, names: [], linesDropped: 0, spansDropped: 0, bugs: 0, subscribers: 0 },
    ...{
      cache: { entries: 0, bytes: 0, evictions: 0 },
      connections: { open: 0, total: 0 },
      connectionFaults: new Map(),
      sessions: noSessions(),
    },
    ...over,
  };
  const metrics = new Metrics();
  const sources: MeterSources = {
    engines: () => around.engines,
    inFlight: () => around.inFlight,
    waiting: () => around.waiting,
    names: () => around.names,
    linesDropped: () => around.linesDropped,
    callers: () => new Map(),
    handshakesFailed: () => 0,
    cache: () => around.cache,
    connections: () => around.connections,
    connectionFaults: () => around.connectionFaults,
    sessions: () => around.sessions,
    spansDropped: () => around.spansDropped,
    bugs: () => around.bugs,
    subscribers: () => around.subscribers,
  };
  return { metrics, meter: new Meter(metrics, sources), around };
}
