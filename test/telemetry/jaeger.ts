// A real Jaeger, built from its Go module by `scripts/setup --for jaeger`: it accepts spans over OTLP and keeps them in
// memory. Tests read them through its query API, like its users' tools.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../support/free-ports.ts';
import { until } from '../support/until.ts';
import { type JaegerSpan, type OtlpTraces, toJaegerSpans } from './jaeger-span.ts';

const BINARY = join(import.meta.dirname, '../../.cache/jaeger');

export class Jaeger {
  /** In the form of OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly grpcEndpoint: string;
  readonly httpEndpoint: string;
  readonly #api: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, folder: string, { otlpGrpc, otlpHttp, queryHttp }: Ports) {
    this.#child = child;
    this.#folder = folder;
    this.grpcEndpoint = `http://127.0.0.1:${otlpGrpc}`;
    this.httpEndpoint = `http://127.0.0.1:${otlpHttp}`;
    this.#api = `http://127.0.0.1:${queryHttp}/api`;
  }

  static async start(): Promise<Jaeger> {
    if (!existsSync(BINARY)) throw new Error(`there is no ${BINARY}; run scripts/setup --for jaeger`);
    const folder = mkdtempSync(join(tmpdir(), 'tandem-jaeger-'));
    const [otlpGrpc, otlpHttp, queryHttp, queryGrpc] = (await freePorts(4)) as [number, number, number, number];
    const ports = { otlpGrpc, otlpHttp, queryHttp, queryGrpc };
    writeFileSync(join(folder, 'config.yaml'), JSON.stringify(configOf(ports))); // JSON is YAML
    const child = spawn(BINARY, ['--config', join(folder, 'config.yaml')], { stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    child.stderr.on('data', (chunk) => (log = (log + String(chunk)).slice(-4_000)));
    const jaeger = new Jaeger(child, folder, ports);
    const isUp = async (): Promise<boolean> => child.exitCode !== null || (await jaeger.services()).length >= 0;
    await until(isUp, { what: 'Jaeger to be up', timeoutMs: 30_000 });
    if (child.exitCode !== null) throw new Error(`Jaeger ended with ${child.exitCode}:\n${log}`);
    return jaeger;
  }

  async services(): Promise<string[]> {
    const { data } = (await this.#get('services')) as { data: string[] | null };
    return data ?? [];
  }

  /**
   * Waits until the trace has this number of spans, and returns them. Only then does Jaeger check them: warnings about
   * spans that have not arrived would stay in its memory.
   */
  async whole(traceId: string, count: number): Promise<JaegerSpan[]> {
    const what = `${count} spans of trace ${traceId}`;
    await until(async () => (await this.#spans(traceId, 'raw_traces=true')).length >= count, {
      what,
      timeoutMs: 20_000,
    });
    return await this.#spans(traceId);
  }

  /** Finds traces like its users: by service and by attributes of spans. */
  async find(service: string, tags: Record<string, string>): Promise<string[]> {
    const query = new URLSearchParams({ service, tags: JSON.stringify(tags), lookback: '1h', limit: '100' });
    const { data } = (await this.#get(`traces?${query.toString()}`)) as { data: { traceID: string }[] };
    return data.map(({ traceID }) => traceID);
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The received spans, as OTLP, since Jaeger's older form rounds times to microseconds. */
  async #spans(traceId: string, query = ''): Promise<JaegerSpan[]> {
    const response = await fetch(`${this.#api}/v3/traces/${traceId}?${query}`);
    if (response.status === 404) return [];
    return toJaegerSpans(((await response.json()) as { result: OtlpTraces }).result);
  }

  async #get(path: string): Promise<unknown> {
    const response = await fetch(`${this.#api}/${path}`);
    if (!response.ok) throw new Error(`Jaeger answers ${path}: ${response.status} ${await response.text()}`);
    return await response.json();
  }
}

interface Ports {
  readonly otlpGrpc: number;
  readonly otlpHttp: number;
  readonly queryHttp: number;
  readonly queryGrpc: number;
}

function configOf({ otlpGrpc, otlpHttp, queryHttp, queryGrpc }: Ports): object {
  const at = (port: number): object => ({ endpoint: `127.0.0.1:${port}` });
  return {
    service: {
      extensions: ['jaeger_storage', 'jaeger_query'],
      pipelines: { traces: { receivers: ['otlp'], exporters: ['jaeger_storage_exporter'] } },
      telemetry: { metrics: { level: 'none' }, logs: { level: 'warn' } },
    },
    receivers: { otlp: { protocols: { grpc: at(otlpGrpc), http: at(otlpHttp) } } },
    exporters: { jaeger_storage_exporter: { trace_storage: 'memory' } },
    extensions: {
      jaeger_storage: { backends: { memory: { memory: { max_traces: 10_000 } } } },
      // It warns of every child that is not inside its parent, and moves none.
      jaeger_query: {
        ...{ storage: { traces: 'memory' }, http: at(queryHttp), grpc: at(queryGrpc) },
        max_clock_skew_adjust: '0s',
      },
    },
  };
}
