// `tandem metrics --watch`: computes rates from one message to the next.
import { styleText } from 'node:util';
import type { EngineMetrics, Metrics, RequestTypeMetrics, StrategyMetrics } from '../generated/tandem/v1/metrics.ts';
import { EngineState } from '../generated/tandem/v1/engines.ts';
import { type Column, columns, cut, parts } from './columns.ts';
import { count, duration, percent, perSecond } from './metrics-format.ts';
import {
  alarming,
  barCells,
  breakerOf,
  latencyOf,
  shareBar,
  stateOf,
  strategyOf,
  systemLines,
} from './metrics-report.ts';
import { sparkline } from './sparkline.ts';

const MAX_POINTS = 40;
const LABEL_CELLS = 12;
const FIGURE_CELLS = 8;

export interface Terminal {
  readonly columns: number;
  readonly rows: number;
}

/** Values of the newest messages. */
export class History {
  readonly requestsPerS: number[] = [];
  readonly errorsPerS: number[] = [];
  readonly inFlight: number[] = [];
  #last: Metrics | undefined;
  #beforeLast: Metrics | undefined;

  add(metrics: Metrics): void {
    this.#beforeLast = this.#last;
    this.#last = metrics;
    if (this.#beforeLast !== undefined) {
      keep(
        this.requestsPerS,
        this.perS(({ requests }) => requests),
      );
      keep(
        this.errorsPerS,
        this.perS(({ errors }) => errors),
      );
    }
    keep(this.inFlight, metrics.inFlight);
  }

  /** The newest message. */
  get now(): Metrics | undefined {
    return this.#last;
  }

  /** Rate of a counter between the newest two messages; 0 if there is only one. */
  perS(of: (metrics: Metrics) => bigint | undefined): number {
    const [before, now] = [this.#beforeLast, this.#last];
    if (before === undefined || now === undefined) return 0;
    // After a reset, counters start from there.
    const wasReset = now.sinceMs !== before.sinceMs;
    // Uses the router's uptime, which does not jump when its clock is set. After a restart it counts from the start.
    const upS = now.uptimeS - (now.uptimeS < before.uptimeS ? 0 : before.uptimeS);
    const elapsedMs = wasReset ? Math.min(Number(now.timeMs - now.sinceMs), upS * 1_000) : upS * 1_000;
    const grown = Number((of(now) ?? 0n) - (wasReset ? 0n : (of(before) ?? 0n)));
    return elapsedMs > 0 ? Math.max(0, (grown * 1_000) / elapsedMs) : 0; // an engine may leave and come back
  }
}

function keep(list: number[], value: number): void {
  list.push(value);
  if (list.length > MAX_POINTS) list.shift();
}

/** One screen; lines that do not fit are cut at the end. */
export function liveView(history: History, address: string, terminal: Terminal): string[] {
  const { now } = history;
  if (now === undefined) return [];
  const width = terminal.columns;
  const used = now.strategies.filter(({ requests }) => requests > 0n);
  const lines = [
    ...parts('', [styleText('bold', `tandem at ${address}`), `up ${duration(now.uptimeS)}`, 'Ctrl-C ends'], width),
    '',
    trace('requests/s', history.requestsPerS, perSecond, width),
    trace('errors/s', history.errorsPerS, perSecond, width),
    trace('in flight', history.inFlight, count, width),
    '',
    ...columns(requestColumns(history), now.requestTypes, width),
    '',
    ...columns(engineColumns(history, width), now.engines, width),
    ...(used.length > 0 ? ['', ...columns(strategyColumns(history, width), used, width)] : []),
    '',
    ...systemLines(now, width),
  ];
  if (lines.length < terminal.rows) return lines;
  const room = Math.max(terminal.rows - 2, 1);
  return [...lines.slice(0, room), styleText('dim', cut(`… ${lines.length - room} more lines`, width))];
}

/** One line for a log. */
export function liveLine(history: History): string {
  const { now } = history;
  if (now === undefined) return '';
  const busiest = now.requestTypes.reduce<RequestTypeMetrics | undefined>(
    (most, each) => (most !== undefined && most.count >= each.count ? most : each),
    undefined,
  );
  const ready = now.engines.filter(({ state }) => state === EngineState.ENGINE_STATE_READY);
  return [
    new Date(Number(now.timeMs)).toISOString(),
    `${newest(history.requestsPerS, perSecond)} requests/s`,
    `${newest(history.errorsPerS, perSecond)} errors/s`,
    `${count(now.inFlight)} in flight`,
    ...(busiest === undefined
      ? []
      : [`${busiest.type} p50 ${latencyOf('p50Ms')(busiest)} ms`, `p99 ${latencyOf('p99Ms')(busiest)} ms`]),
    `hit ratio ${percent(now.cache?.hitRatio ?? 0)}`,
    `${ready.length} of ${now.engines.length} engines ready`,
  ].join('  ');
}

function trace(label: string, values: readonly number[], format: (value: number) => string, width: number): string {
  const figure = newest(values, format).padStart(FIGURE_CELLS);
  const peak = `  peak ${format(Math.max(...values, 0))}`;
  const room = width - LABEL_CELLS - FIGURE_CELLS - 2 - peak.length;
  const cells = Math.max(0, Math.min(room, MAX_POINTS));
  const line = styleText('cyan', sparkline(values, cells).padStart(cells)); // the newest stays at the right
  return `${label.padEnd(LABEL_CELLS)}${figure}  ${line}${room > 0 ? peak : ''}`;
}

/** "-" before the first rate, which needs two messages. */
function newest(values: readonly number[], format: (value: number) => string): string {
  const value = values.at(-1);
  return value === undefined ? '-' : format(value);
}

function requestColumns(history: History): readonly Column<RequestTypeMetrics>[] {
  const typeIn = (metrics: Metrics, type: string): RequestTypeMetrics | undefined =>
    metrics.requestTypes.find((each) => each.type === type);
  return [
    { head: 'REQUESTS', cell: ({ type }) => type },
    { head: 'PER S', cell: ({ type }) => perSecond(history.perS((of) => typeIn(of, type)?.count)), align: 'right' },
    { head: 'COUNT', cell: ({ count: all }) => count(all), align: 'right', dispensable: 3 },
    { head: 'ERRORS', cell: ({ errors }) => alarming(errors), align: 'right', dispensable: 1 },
    { head: 'P50 MS', cell: latencyOf('p50Ms'), align: 'right' },
    { head: 'P95 MS', cell: latencyOf('p95Ms'), align: 'right', dispensable: 4 },
    { head: 'P99 MS', cell: latencyOf('p99Ms'), align: 'right', dispensable: 2 },
  ];
}

function engineColumns(history: History, width: number): readonly Column<EngineMetrics>[] {
  const engineIn = (metrics: Metrics, id: string): EngineMetrics | undefined =>
    metrics.engines.find(({ engineId }) => engineId === id);
  return [
    { head: 'ENGINES', cell: ({ engineId }) => engineId },
    { head: 'STATE', cell: stateOf },
    { head: 'BREAKER', cell: breakerOf, dispensable: 2 },
    {
      head: 'PER S',
      cell: ({ engineId }) => perSecond(history.perS((of) => engineIn(of, engineId)?.succeeded)),
      align: 'right',
    },
    { head: 'SHARE', cell: ({ share }) => shareBar(share, barCells(width) >> 1), dispensable: 3 },
    { head: 'FAILED', cell: ({ failed }) => alarming(failed), align: 'right', dispensable: 1 },
    { head: 'BUSY', cell: ({ inFlight }) => count(inFlight), align: 'right', dispensable: 5 },
    { head: 'P50 MS', cell: latencyOf('p50Ms'), align: 'right', dispensable: 4 },
  ];
}

function strategyColumns(history: History, width: number): readonly Column<StrategyMetrics>[] {
  const strategyIn = ({ strategies }: Metrics, row: StrategyMetrics): StrategyMetrics | undefined =>
    strategies.find(({ strategy }) => strategy === row.strategy);
  return [
    { head: 'STRATEGIES', cell: strategyOf },
    { head: 'PER S', cell: (row) => perSecond(history.perS((of) => strategyIn(of, row)?.requests)), align: 'right' },
    { head: 'SHARE', cell: ({ share }) => shareBar(share, barCells(width)) },
  ];
}
