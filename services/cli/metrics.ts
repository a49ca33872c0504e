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
    .option('-w, --watch', 'live, until Ctrl-C: redrawn in place on a terminal, a line each elsewhere')
    .option('--interval-ms <n>', 'with --watch: milliseconds between two (default: 1000)', wholeNumber(100, 60_000))
    .addOption(new Option('--reset', 'count anew; prints what was counted until now').conflicts('watch'))
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
      // A file or a pipe has room for every column.
      const width = process.stdout.isTTY ? process.stdout.columns : Infinity;
      print(command, toJSON(response), () => (metrics === undefined ? '' : report(metrics, width).join('\n')));
    });
}
