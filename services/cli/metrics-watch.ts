// The stream behind `tandem metrics --watch`: redrawn in place on a terminal, a line a message elsewhere.
import * as grpc from '@grpc/grpc-js';
import type { Command } from 'commander';
import { createLogUpdate } from 'log-update';
import { MetricsServiceClient, WatchMetricsResponse } from '../generated/tandem/v1/metrics.ts';
import type { GlobalOptions } from './client.ts';
import { History, liveLine, liveView } from './metrics-live.ts';

/** A router whose machine has gone away says nothing: so asked, its silence ends the watch. */
const KEEPALIVE = { 'grpc.keepalive_time_ms': 10_000, 'grpc.keepalive_timeout_ms': 5_000 };

interface Display {
  show(response: WatchMetricsResponse): void;
  /** Leaves the terminal as people want it back. */
  done(): void;
}

/** Resolves when the user ends it; rejects when the router does. */
export async function watchMetrics(
  command: Command,
  intervalMs: number,
  output: NodeJS.WriteStream = process.stdout,
): Promise<void> {
  const { address, timeoutMs, json } = command.optsWithGlobals<GlobalOptions>();
  const client = new MetricsServiceClient(address, grpc.credentials.createInsecure(), KEEPALIVE);
  const display = json ? jsonLines(output) : output.isTTY ? screen(output, address) : lines(output);
  const stream = client.watchMetrics({ intervalMs });
  let isOver = false;
  const leave = (): void => {
    isOver = true;
    stream.cancel();
  };
  let isLate = false;
  const late = setTimeout(() => {
    isLate = true;
    stream.cancel();
  }, timeoutMs);
  // Not `once`: where ours has gone, log-update's own handler takes the signal for fatal.
  process.on('SIGINT', leave);
  try {
    await new Promise<void>((resolve, reject) => {
      stream.on('data', (response: WatchMetricsResponse) => {
        clearTimeout(late);
        if (!isOver) display.show(response);
      });
      stream.on('end', resolve);
      stream.on('error', (error) => {
        if (isOver) resolve();
        else reject(isLate ? new Error(`${address} has not answered within ${timeoutMs} ms`) : error);
      });
    });
  } finally {
    clearTimeout(late);
    process.off('SIGINT', leave);
    display.done();
    client.close();
  }
}

function screen(terminal: NodeJS.WriteStream, address: string): Display {
  const update = createLogUpdate(terminal);
  const history = new History();
  const draw = (): void => update(liveView(history, address, terminal).join('\n'));
  terminal.on('resize', draw);
  return {
    show({ metrics }) {
      if (metrics === undefined) return;
      history.add(metrics);
      draw();
    },
    done() {
      terminal.off('resize', draw);
      update.done();
    },
  };
}

function lines(output: NodeJS.WriteStream): Display {
  const history = new History();
  return {
    show({ metrics }) {
      if (metrics === undefined) return;
      history.add(metrics);
      output.write(`${liveLine(history)}\n`);
    },
    done() {},
  };
}

function jsonLines(output: NodeJS.WriteStream): Display {
  return {
    show: (response) => void output.write(`${JSON.stringify(WatchMetricsResponse.toJSON(response))}\n`),
    done() {},
  };
}
