// The path's figures as tables.
import { table } from '../../../services/cli/table.ts';
import type { Figures } from './measure.ts';
import type { PathFigures } from './results.ts';

const cells = ({ callsPerS, p50Us, p99Us, p999Us, cpuUs, rssMb, failedShare }: Figures): string[] =>
  [callsPerS, p50Us, p99Us, p999Us]
    .map((value) => value.toFixed(0))
    .concat(optional(cpuUs, 1), optional(rssMb, 0), failedShare === 0 ? '' : `${(failedShare * 100).toFixed(1)} %`);

const optional = (value: number | undefined, digits: number): string =>
  value === undefined || Number.isNaN(value) ? '' : value.toFixed(digits);

const HEAD = ['CALLS/S', 'P50 µs', 'P99 µs', 'P99.9 µs', 'CPU µs A CALL', 'MEMORY MB', 'FAILED'];

export function printPath({ processor, cores, rounds, seconds, closed, open, others }: PathFigures): string {
  const loops = closed.map(({ subject, inFlight, connections, ...figures }) => [
    String(inFlight),
    String(connections),
    subject,
    ...cells(figures),
  ]);
  const shares = open.map(({ subject, share, ...figures }) => [
    `${(share * 100).toFixed(0)} %`,
    subject,
    ...cells(figures),
  ]);
  const rest = Object.entries(others).map(([name, figures]) => [name, ...cells(figures)]);
  return [
    `The path on ${cores} cores of ${processor}; medians of ${rounds} interleaved rounds of ${seconds} s, nothing cached.`,
    'Load: tandem-wire-load, pinned to CPU 1. The router and each proxy: one thread, pinned to CPU 0. Two engines: unpinned.',
    '',
    'Closed loop',
    table(['IN FLIGHT', 'CONNECTIONS', '', ...HEAD], loops),
    '',
    'Open loop on sixteen connections, at a share of what each did with 64 in flight; latencies from when a call was due',
    table(['LOAD', '', ...HEAD], shares),
    '',
    'Hits, batches (calls are batches), streams, engines alone; the replaced design, one at a time',
    table(['', ...HEAD], rest),
  ].join('\n');
}
