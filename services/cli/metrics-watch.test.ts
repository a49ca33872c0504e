import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import { Command } from 'commander';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import {
  type MetricsServiceServer,
  MetricsServiceService,
  Metrics,
  type WatchMetricsRequest,
  type WatchMetricsResponse,
} from '../generated/tandem/v1/metrics.ts';
import { watchMetrics } from './metrics-watch.ts';

type Watch = grpc.ServerWritableStream<WatchMetricsRequest, WatchMetricsResponse>;

let server: grpc.Server;
let address: string;
let onWatch: (watch: Watch) => void;

beforeEach(async () => {
  server = new grpc.Server();
  const handlers: Pick<MetricsServiceServer, 'watchMetrics'> = { watchMetrics: (watch) => onWatch(watch) };
  server.addService({ watchMetrics: MetricsServiceService.watchMetrics }, handlers);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  address = `127.0.0.1:${port}`;
});

afterEach(() => {
  server.forceShutdown();
});

class Output extends PassThrough {
  readonly isTTY: boolean;
  readonly columns = 80;
  readonly rows = 40;

  constructor(isTTY = false) {
    super();
    this.isTTY = isTTY;
  }
}

function start(output: Output, { json = false, timeoutMs = 10_000, intervalMs = 0 } = {}): Promise<void> {
  const command = new Command().option('-a <a>');
  command.setOptionValue('address', address).setOptionValue('json', json).setOptionValue('timeoutMs', timeoutMs);
  return watchMetrics(command, intervalMs, output as unknown as NodeJS.WriteStream);
}

const message = (requests: number): WatchMetricsResponse => ({
  metrics: Metrics.fromPartial({ timeMs: requests * 1_000, uptimeS: requests, requests }),
  processingTimeMs: 0.5,
});

async function written(output: Output): Promise<string> {
  const [chunk] = (await once(output, 'data')) as [Buffer];
  return chunk.toString();
}

describe('tandem metrics --watch', () => {
  it('requests the interval of the user', async () => {
    const intervalMs = new Promise<number>((resolve) => {
      onWatch = (watch) => {
        resolve(watch.request.intervalMs);
        watch.end();
      };
    });
    await start(new Output(), { intervalMs: 250 });
    expect(await intervalMs).toBe(250);
  });

  it('ends without an error on Ctrl-C and cancels the call', async () => {
    const left = new Promise<void>((resolve) => {
      onWatch = (watch) => {
        watch.once('cancelled', resolve);
        watch.write(message(1));
      };
    });
    const output = new Output();
    const watching = start(output);
    await written(output);
    process.emit('SIGINT');
    await watching;
    await left;
  });

  it('writes one line per message without a terminal', async () => {
    onWatch = (watch) => {
      watch.write(message(1));
      watch.write(message(2));
      watch.end();
    };
    const output = new Output();
    await start(output);
    expect(String(output.read()).split('\n')).toEqual([
      expect.stringMatching(/^1970-01-01T00:00:01.000Z {2}- requests\/s/),
      expect.stringMatching(/^1970-01-01T00:00:02.000Z {2}1.0 requests\/s/),
      '',
    ]);
  });

  it('writes one JSON line per message with --json', async () => {
    onWatch = (watch) => {
      watch.write(message(1));
      watch.end();
    };
    const output = new Output(true);
    await start(output, { json: true });
    const [line, rest] = String(output.read()).split('\n');
    expect(JSON.parse(line ?? '')).toMatchObject({ metrics: { requests: '1' }, processingTimeMs: 0.5 });
    expect(rest).toBe('');
  });

  it('draws one view on a terminal', async () => {
    onWatch = (watch) => {
      watch.write(message(1));
      watch.end();
    };
    const output = new Output(true);
    await start(output);
    expect(stripVTControlCharacters(String(output.read()))).toMatch(new RegExp(`tandem at ${address} · up \\d s`));
  });

  it('fails with the error of the router', async () => {
    onWatch = (watch) => watch.emit('error', { code: grpc.status.UNAVAILABLE, details: 'shutting down' });
    await expect(start(new Output())).rejects.toMatchObject({ code: grpc.status.UNAVAILABLE });
  });

  it('fails if there is no first message within the timeout', async () => {
    onWatch = () => undefined;
    await expect(start(new Output(), { timeoutMs: 50 })).rejects.toThrow(/has not answered within 50 ms/);
  });
});
