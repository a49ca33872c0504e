import { describe, expect, it } from '@jest/globals';
import { stripVTControlCharacters } from 'node:util';
import { Metrics } from '../generated/tandem/v1/metrics.ts';
import { report } from './metrics-report.ts';

const SOME = Metrics.fromPartial({
  sinceMs: 1_000,
  timeMs: 61_000,
  uptimeS: 3_725,
  requests: 1_300,
  errors: 3,
  inFlight: 2,
  requestTypes: [
    {
      type: 'Reason',
      count: 1_288,
      errors: 3,
      errorsByReason: { 'INVALID_ARGUMENT/INPUT_LENGTH': 1, 'UNAVAILABLE/NO_ENGINE': 2 },
      latency: { count: 1_285, avgMs: 1.5, minMs: 0.25, maxMs: 123.4, p50Ms: 1.25, p95Ms: 12.5, p99Ms: 100.5 },
    },
    { type: 'ReasonBatch', count: 12, errors: 12, latency: {} },
  ],
  strategies: [
    { strategy: 1, requests: 750, share: 0.75 },
    { strategy: 5, requests: 250, share: 0.25 },
  ],
  engines: [
    {
      engineId: 'local',
      kind: 1,
      state: 1,
      breaker: 1,
      succeeded: 900,
      share: 0.9,
      inFlight: 2,
      latency: { count: 900, p50Ms: 1, p99Ms: 2 },
    },
    {
      engineId: 'engine-1',
      kind: 2,
      state: 2,
      breaker: 3,
      succeeded: 100,
      failed: 7,
      others: 4,
      share: 0.1,
      dissents: 5,
    },
  ],
  cache: { hits: 30, misses: 10, coalesced: 1, stale: 2, hitRatio: 0.767, entries: 40, bytes: 2_048, evictions: 6 },
  connections: { clients: 1, clientsTotal: 17, sidecarsConnected: 0, sidecars: 1 },
  votes: { unanimous: 10, majority: 2, disputed: 1, tooFew: 3 },
  events: { subscribers: 1, published: { engine: 12, user: 1_000 }, missed: 4 },
  models: [
    {
      ...{ model: 'supersense', version: 1, requests: 1_285, inferences: 1_000 },
      ...{ computeS: 0.25, synapticOperations: 40_000_000, spikes: 900_000, energyJ: 3.6e-5 },
    },
  ],
});

const text = (metrics: Metrics, width: number): string[] =>
  report(metrics, width).map((line) => stripVTControlCharacters(line));

describe('the report', () => {
  it('shows everything if the terminal is wide enough', () => {
    expect(text(SOME, 200).join('\n')).toBe(`\
1,300 requests · 3 errors · 2 in flight · counting for 1 min · up 1 h 2 min

REQUESTS     COUNT  ERRORS  AVG MS  MIN MS  MAX MS  P50 MS  P95 MS  P99 MS
Reason       1,288       3    1.50    0.25     123    1.25    12.5     101
ReasonBatch     12      12       -       -       -       -       -       -

ENGINES   KIND     STATE  BREAKER    ANSWERED   SHARE  FAILED  OTHERS  DISSENTS  IN FLIGHT  P50 MS  P99 MS
local     local    ready  closed          900  90.0 %       0       0         0          2    1.00    2.00
engine-1  sidecar  down   half-open       100  10.0 %       7       4         5          0       -       -

STRATEGIES   REQUESTS  SHARE
ROUND_ROBIN       750  ██████████████████        75.0 %
REDUNDANT         250  ██████                    25.0 %

MODELS        ANSWERED  COMPUTED  COMPUTE    SYN. OPS   SPIKES  ENERGY (EST.)
supersense/1     1,285     1,000   250 ms  40,000,000  900,000          36 µJ

cache        hit ratio 76.7 % · 30 hits · 10 misses · 1 coalesced · 2 stale · 0 bypassed · 40 kept, 2.0 KiB · 6 evicted
votes        10 unanimous · 2 by majority · 1 disputed · 3 with too few
connections  1 client, 17 in all · 0 of 1 sidecar
events       1,012 published · 1 subscriber · 4 missed

ERRORS                         OF      COUNT
UNAVAILABLE/NO_ENGINE          Reason      2
INVALID_ARGUMENT/INPUT_LENGTH  Reason      1`);
  });

  it.each([120, 80, 60, 50, 40])('fits a terminal of %d columns', (width) => {
    expect(Math.max(...text(SOME, width).map((line) => line.length))).toBeLessThanOrEqual(width);
  });

  it('keeps the most important columns in a narrow terminal', () => {
    const lines = text(SOME, 50).join('\n');
    expect(lines).toMatch(/^REQUESTS +COUNT +ERRORS +P50 MS/m);
    expect(lines).toMatch(/^ENGINES +STATE +ANSWERED +FAILED/m);
    expect(lines).toMatch(/^REDUNDANT +250/m);
  });

  it('lists errors only if there are any', () => {
    const lines = text(Metrics.fromPartial({ requests: 1, requestTypes: [{ type: 'Ping', count: 1 }] }), 80);
    expect(lines[0]).toMatch(/^1 request · no errors/);
    expect(lines.filter((line) => line.startsWith('ERRORS'))).toEqual([]);
  });
});
