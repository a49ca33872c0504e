// `tandem metrics`: all metrics as tables.
import { styleText } from 'node:util';
import { BreakerState, EngineState, breakerStateToJSON, engineStateToJSON } from '../generated/tandem/v1/engines.ts';
import type {
  AgentCallerMetrics,
  AgentMethodMetrics,
  EngineMetrics,
  LatencyMetrics,
  Metrics,
  ModelMetrics,
  RequestTypeMetrics,
  StrategyMetrics,
} from '../generated/tandem/v1/metrics.ts';
import { engineKindToJSON, strategyToJSON } from '../generated/tandem/v1/types.ts';
import { type Column, columns, parts } from './columns.ts';
import { bytes, count, counted, duration, milliseconds, percent, tiny } from './metrics-format.ts';
import { bar } from './sparkline.ts';
import { bare, plain } from './words.ts';

const MAX_BAR_CELLS = 24;

const REQUEST_TYPES: readonly Column<RequestTypeMetrics>[] = [
  { head: 'REQUESTS', cell: ({ type }) => type },
  { head: 'COUNT', cell: ({ count: all }) => count(all), align: 'right' },
  { head: 'ERRORS', cell: ({ errors }) => alarming(errors), align: 'right' },
  { head: 'AVG MS', cell: latencyOf('avgMs'), align: 'right', dispensable: 3 },
  { head: 'MIN MS', cell: latencyOf('minMs'), align: 'right', dispensable: 5 },
  { head: 'MAX MS', cell: latencyOf('maxMs'), align: 'right', dispensable: 4 },
  { head: 'P50 MS', cell: latencyOf('p50Ms'), align: 'right' },
  { head: 'P95 MS', cell: latencyOf('p95Ms'), align: 'right', dispensable: 2 },
  { head: 'P99 MS', cell: latencyOf('p99Ms'), align: 'right', dispensable: 1 },
];

const ENGINES: readonly Column<EngineMetrics>[] = [
  { head: 'ENGINES', cell: ({ engineId }) => engineId },
  { head: 'KIND', cell: kindOf, dispensable: 9 },
  { head: 'STATE', cell: stateOf },
  { head: 'BREAKER', cell: breakerOf, dispensable: 4 },
  { head: 'ANSWERED', cell: ({ succeeded }) => count(succeeded), align: 'right' },
  { head: 'SHARE', cell: ({ share }) => percent(share), align: 'right', dispensable: 5 },
  { head: 'FAILED', cell: ({ failed }) => alarming(failed), align: 'right', dispensable: 1 },
  { head: 'OTHERS', cell: ({ others }) => count(others), align: 'right', dispensable: 8 },
  { head: 'DISSENTS', cell: ({ dissents }) => alarming(dissents), align: 'right', dispensable: 7 },
  { head: 'IN FLIGHT', cell: ({ inFlight }) => count(inFlight), align: 'right', dispensable: 6 },
  { head: 'P50 MS', cell: latencyOf('p50Ms'), align: 'right', dispensable: 2 },
  { head: 'P99 MS', cell: latencyOf('p99Ms'), align: 'right', dispensable: 3 },
];

const MODELS: readonly Column<ModelMetrics>[] = [
  { head: 'MODELS', cell: ({ model, version }) => `${model}/${version}` },
  { head: 'ANSWERED', cell: ({ requests }) => count(requests), align: 'right' },
  { head: 'COMPUTED', cell: ({ inferences }) => count(inferences), align: 'right', dispensable: 1 },
  { head: 'COMPUTE', cell: ({ computeS }) => tiny(computeS, 's'), align: 'right', dispensable: 3 },
  { head: 'SYN. OPS', cell: ({ synapticOperations }) => count(synapticOperations), align: 'right', dispensable: 4 },
  { head: 'SPIKES', cell: ({ spikes }) => count(spikes), align: 'right', dispensable: 5 },
  { head: 'ENERGY (EST.)', cell: ({ energyJ }) => tiny(energyJ, 'J'), align: 'right', dispensable: 2 },
];

const AGENTS: readonly Column<AgentMethodMetrics>[] = [
  { head: 'AGENTS', cell: ({ method }) => method },
  { head: 'BY MODEL', cell: ({ answered }) => count(answered), align: 'right' },
  { head: 'BY RULES', cell: ({ fallbacks }) => count(total(fallbacks)), align: 'right' },
  { head: 'WHY', cell: whyOf, dispensable: 1 },
];

const CALLERS: readonly Column<AgentCallerMetrics>[] = [
  { head: 'CALLERS', cell: ({ caller }) => caller },
  { head: 'MODEL CALLS', cell: ({ requests }) => count(requests), align: 'right' },
  { head: 'PROMPT TOKENS', cell: ({ promptTokens }) => count(promptTokens), align: 'right', dispensable: 2 },
  { head: 'ANSWER TOKENS', cell: ({ completionTokens }) => count(completionTokens), align: 'right', dispensable: 1 },
  { head: 'USD', cell: ({ usd }) => usd.toFixed(4), align: 'right' },
];

/** Lines of at most `width` cells. */
export function report(metrics: Metrics, width: number): string[] {
  const { methods, callers } = metrics.agents ?? { methods: [], callers: [] };
  return [
    ...parts('', summary(metrics), width),
    ...section(columns(REQUEST_TYPES, metrics.requestTypes, width), metrics.requestTypes.length),
    ...section(columns(ENGINES, metrics.engines, width), metrics.engines.length),
    ...section(columns(strategyColumns(width), metrics.strategies, width), metrics.strategies.length),
    ...section(columns(MODELS, metrics.models, width), metrics.models.length),
    ...section(columns(AGENTS, methods, width), methods.length),
    ...section(columns(CALLERS, callers, width), callers.length),
    '',
    ...systemLines(metrics, width),
    ...errorsByReason(metrics, width),
  ];
}

function summary({ requests, errors, inFlight, waiting, uptimeS, timeMs, sinceMs }: Metrics): string[] {
  return [
    counted(requests, 'request'),
    Number(errors) > 0 ? styleText('red', counted(errors, 'error')) : 'no errors',
    `${count(inFlight)} in flight`,
    ...(waiting > 0 ? [`${count(waiting)} waiting`] : []),
    `counting for ${duration(Number(timeMs - sinceMs) / 1_000)}`,
    `up ${duration(uptimeS)}`,
  ];
}

function section(lines: readonly string[], rows: number): string[] {
  return rows === 0 ? [] : ['', ...lines];
}

function strategyColumns(width: number): readonly Column<StrategyMetrics>[] {
  return [
    { head: 'STRATEGIES', cell: strategyOf },
    { head: 'REQUESTS', cell: ({ requests }) => count(requests), align: 'right' },
    { head: 'SHARE', cell: ({ share }) => shareBar(share, barCells(width)) },
  ];
}

/** Cache, votes, connections and events, one line each. */
export function systemLines({ cache, votes, connections, events }: Metrics, width: number): string[] {
  const published = Object.values(events?.published ?? {}).reduce((sum, of) => sum + of, 0n);
  return [
    ...parts(
      'cache        ',
      [
        `hit ratio ${percent(cache?.hitRatio ?? 0)}`,
        counted(cache?.hits ?? 0, 'hit'),
        counted(cache?.misses ?? 0, 'miss', 'misses'),
        `${count(cache?.coalesced ?? 0)} coalesced`,
        `${count(cache?.stale ?? 0)} stale`,
        `${count(cache?.bypassed ?? 0)} bypassed`,
        `${count(cache?.entries ?? 0)} kept, ${bytes(cache?.bytes ?? 0)}`,
        `${count(cache?.evictions ?? 0)} evicted`,
      ],
      width,
    ),
    ...parts(
      'votes        ',
      [
        `${count(votes?.unanimous ?? 0)} unanimous`,
        `${count(votes?.majority ?? 0)} by majority`,
        `${alarming(votes?.disputed ?? 0)} disputed`,
        `${alarming(votes?.tooFew ?? 0)} with too few`,
        ...(votes !== undefined && votes.audited > 0
          ? [`${count(votes.audited)} audited`, `${alarming(votes.auditDisputes)} contradicted`]
          : []),
      ],
      width,
    ),
    ...parts(
      'connections  ',
      [
        `${counted(connections?.clients ?? 0, 'client')}, ${count(connections?.clientsTotal ?? 0)} in all`,
        `${count(connections?.sidecarsConnected ?? 0)} of ${counted(connections?.sidecars ?? 0, 'sidecar')}`,
      ],
      width,
    ),
    ...parts(
      'events       ',
      [
        `${count(published)} published`,
        counted(events?.subscribers ?? 0, 'subscriber'),
        `${alarming(events?.missed ?? 0)} missed`,
      ],
      width,
    ),
  ];
}

function errorsByReason({ requestTypes }: Metrics, width: number): string[] {
  const rows = requestTypes.flatMap(({ type, errorsByReason: reasons }) =>
    Object.entries(reasons).map(([reason, times]) => ({ type, reason, times })),
  );
  if (rows.length === 0) return [];
  const reasons: Column<(typeof rows)[number]>[] = [
    { head: 'ERRORS', cell: ({ reason }) => reason },
    { head: 'OF', cell: ({ type }) => type, dispensable: 1 },
    { head: 'COUNT', cell: ({ times }) => count(times), align: 'right' },
  ];
  return [
    '',
    ...columns(
      reasons,
      rows.sort((a, b) => Number(b.times - a.times)),
      width,
    ),
  ];
}

function total(counts: Readonly<Record<string, bigint>>): bigint {
  return Object.values(counts).reduce((sum, of) => sum + of, 0n);
}

/** Reasons of fallbacks, most frequent first. */
function whyOf({ fallbacks }: AgentMethodMetrics): string {
  const rows = Object.entries(fallbacks).sort(([, a], [, b]) => Number(b - a));
  return rows.map(([reason, times]) => `${reason} ${count(times)}`).join(', ');
}

export function strategyOf({ strategy }: StrategyMetrics): string {
  return bare(strategyToJSON(strategy), 'STRATEGY_');
}

function kindOf({ kind }: EngineMetrics): string {
  return plain(engineKindToJSON(kind), 'ENGINE_KIND_');
}

export function stateOf({ state }: EngineMetrics): string {
  const isReady = state === EngineState.ENGINE_STATE_READY;
  const isDown = state === EngineState.ENGINE_STATE_DOWN;
  return styleText(isReady ? 'green' : isDown ? 'red' : 'yellow', plain(engineStateToJSON(state), 'ENGINE_STATE_'));
}

export function breakerOf({ breaker }: EngineMetrics): string {
  const word = plain(breakerStateToJSON(breaker), 'BREAKER_STATE_');
  if (breaker === BreakerState.BREAKER_STATE_CLOSED) return word;
  return styleText(breaker === BreakerState.BREAKER_STATE_OPEN ? 'red' : 'yellow', word);
}

/** "-" if nothing was answered. */
export function latencyOf(
  figure: Exclude<keyof LatencyMetrics, 'count'>,
): (row: { readonly latency: LatencyMetrics | undefined }) => string {
  return ({ latency }) => (latency === undefined || latency.count === 0n ? '-' : milliseconds(latency[figure]));
}

/** Red if above 0. */
export function alarming(value: number | bigint): string {
  return Number(value) === 0 ? '0' : styleText('red', count(value));
}

/** Width of a bar in a line of `width`: less than a third. */
export function barCells(width: number): number {
  return Math.max(0, Math.min(MAX_BAR_CELLS, Math.floor(width / 3) - 8));
}

/** A bar and its value. */
export function shareBar(share: number, cells: number): string {
  return `${styleText('cyan', bar(share, cells))} ${percent(share).padStart(7)}`;
}
