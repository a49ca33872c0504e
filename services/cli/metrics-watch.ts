// The stream of `tandem metrics --watch`: redrawn in place on a terminal, else one line per message.
import type { Command } from 'commander';
import { createLogUpdate } from 'log-update';
import { MetricsServiceClient, WatchMetricsResponse } from '../generated/tandem/v1/metrics.ts';
import type { GlobalOptions } from './client.ts';
import { follow } from './follow.ts';
import { History, liveLine, liveView } from './metrics-live.ts';

interface Display {
  show(response: WatchMetricsResponse): void;
  /** Restores the terminal. */
  done(): void;
}

/** Resolves when the user ends it; rejects when the router ends it. */
export async function watchMetrics(
  command: Command,
  intervalMs: number,
  output: NodeJS.WriteStream = process.stdout,
): Promise<void> {
  const { address, json } = command.optsWithGlobals<GlobalOptions>();
  const display = json ? jsonLines(output) : output.isTTY ? screen(output, address) : lines(output);
  try {
    await follow(command, {
      open: (...to) => new MetricsServiceClient(...to),
      call: (client) => client.watchMetrics({ intervalMs }),
      show: (response: WatchMetricsResponse) => display.show(response),
    });
  } finally {
    display.done();
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
