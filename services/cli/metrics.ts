import { Command, Option } from 'commander';
import { GetMetricsResponse, MetricsServiceClient, ResetMetricsResponse } from '../generated/tandem/v1/metrics.ts';
import { wholeNumber } from './arguments.ts';
import { call, callAdmin, print } from './client.ts';
import { UsageError } from './usage-error.ts';
import { report } from './metrics-report.ts';
import { watchMetrics } from './metrics-watch.ts';

interface Options {
  readonly watch?: boolean;
  readonly intervalMs?: number;
  readonly reset?: boolean;
}

export function metricsCommand(): Command {
  return new Command('metrics')
    .option('-w, --watch', 'live, until Ctrl-C: redrawn in place on a terminal, else one line per update')
    .option('--interval-ms <n>', 'with --watch: interval in milliseconds (default: 1000)', wholeNumber(100, 60_000))
    .addOption(new Option('--reset', 'reset the counters; prints their values before the reset').conflicts('watch'))
    .addHelpText('after', '\nExample: npx tandem metrics --watch --interval-ms 500')
    .action(async ({ watch, intervalMs, reset }: Options, command: Command) => {
      if (watch) {
        await watchMetrics(command, intervalMs ?? 0);
        return;
      }
      if (intervalMs !== undefined) throw new UsageError('--interval-ms goes with --watch');
      const response = reset
        ? await callAdmin(command, MetricsServiceClient, (client) => client.resetMetrics, {})
        : await call(command, MetricsServiceClient, (client) => client.getMetrics, {});
      const toJSON = reset ? ResetMetricsResponse.toJSON : GetMetricsResponse.toJSON;
      const { metrics } = response;
      // A file or a pipe gets every column.
      const width = process.stdout.isTTY ? process.stdout.columns : Infinity;
      print(command, toJSON(response), () => (metrics === undefined ? '' : report(metrics, width).join('\n')));
    });
}
