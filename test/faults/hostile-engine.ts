// A hostile client connects to an engine directly. The engine's memory stays bounded, and the router's callers are
// served.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { Detail, EngineServiceClient } from '../../services/generated/tandem/engine/v1/engine.ts';
import { Detail as RequestDetail } from '../../services/generated/tandem/v1/types.ts';
import { type Load, paceLoad } from '../support/load.ts';
import { ModelFolder } from '../support/model-folder.ts';
import type { GraphSpec } from '../support/nir-writer.ts';
import { run } from '../support/process.ts';
import { untilConnected } from './judging.ts';
import { type Scenario, failures, ms, pause, percentile, rounded, tookMs } from './scenario.ts';
import type { Caller, Stage } from './stage.ts';

const SHIPPED_MODEL = 'deploy/models/supersense';
const HONEST_RATE_PER_S = 50;
/** Requests that need more memory than the engine reserves for each stream. */
const LARGE_RATE_PER_S = 5;
const DEADLINE_MS = 2_000;
const WARM_MS = 2_000;
const ALONE_MS = 4_000;
/** Longer than it takes until unread answers end their calls. */
const PLAY_S = 20;
const RSS_BAR_MB = 1_024;
const SERVES_MS = 5_000;
/**
 * The router has no other engine here. One whose queue is full refuses its requests, too; and where messages that are
 * far too long fill the memory of connections, gRPC 1.51 resets streams of all callers in turn.
 */
const LOST_SHARE = 0.25;

/** Its neurons spike in each step: 100,000 events, the most that a raster tells. */
const RASTER_MODEL = 'raster';
const NEURONS = 2_000;
const STEPS = 50;

function writeModels(): ModelFolder {
  const models = new ModelFolder();
  cpSync(SHIPPED_MODEL, join(models.path, basename(SHIPPED_MODEL)), { recursive: true });
  const all = (value: number): number[] => Array.from({ length: NEURONS }, () => value);
  const size = (elements: number) => ({ shape: { shape: [1], values: [elements], dtype: 'int64' as const } });
  const graph: GraphSpec = {
    type: 'NIRGraph',
    nodes: {
      input: { type: 'Input', fields: size(1) },
      linear: { type: 'Linear', fields: { weight: { shape: [NEURONS, 1], values: all(1) } } },
      neurons: { type: 'IF', fields: { r: all(1_000), v_threshold: all(0.5) } },
      output: { type: 'Output', fields: size(NEURONS) },
    },
    edges: [
      ['input', 'linear'],
      ['linear', 'neurons'],
      ['neurons', 'output'],
    ],
  };
  const manifest = { name: RASTER_MODEL, dt: 0.001, steps: STEPS, reset: 'subtract', if_gain: 'dt' };
  const readout = { input: { shape: [1], kind: 'constant' }, readout: { node: 'neurons', from: 'spike_count' } };
  return models.add(RASTER_MODEL, 1, graph, JSON.stringify({ ...manifest, ...readout })); // JSON is YAML
}

interface Course {
  readonly play: string;
  readonly fault: string;
  /** Only unary calls are hostile, so streams have all of their memory. */
  readonly isUnary?: boolean;
}

function scenario({ play, fault, isUnary = false }: Course): Scenario {
  return {
    name: `hostile-engine-${play}`,
    fault: `to an engine beside its router: ${fault}`,
    settings: {},
    bar: `the router's requests are answered; the engine's RSS ≤ ${RSS_BAR_MB} MB; it serves afterwards`,
    async run(stage) {
      const models = writeModels();
      stage.onEnd(() => models.remove());
      const [engine] = await stage.sidecars(1, models.path);
      const router = await stage.router({ ...this.settings, models_dir: models.path }, [engine!]);
      await untilConnected(router.operator, ['engine-1']);
      const { inputs } = stage;
      const caller = stage.caller(router.address);
      const load = paceLoad({ system: caller, inputs, ratePerS: HONEST_RATE_PER_S, deadlineMs: DEADLINE_MS });
      const large = isUnary ? largeRequests(caller) : undefined;
      await pause(WARM_MS + ALONE_MS);
      const { pid, address } = engine!;
      const beganMs = performance.now();
      forgetPeak(pid);
      const seconds = stage.options.seconds ?? PLAY_S;
      const args = ['--address', address, '--model', RASTER_MODEL, '--play', play, '--seconds', String(seconds)];
      const client = run('test/faults/hostile-client.ts', args);
      stage.onEnd(() => client.child.kill('SIGKILL'));
      const { code, stderr } = await client.finished;
      if (code !== 0) throw new Error(`the client ended with ${code}: ${stderr}`);
      const endMs = performance.now();
      const peakMb = memoryMb(pid, 'VmHWM');
      const servedMs = await servedAfter(stage, address);
      const { requests } = await load.stop();
      const larges = (await large?.stop())?.requests ?? [];
      const alone = requests.filter(({ dueMs }) => dueMs >= beganMs - ALONE_MS && dueMs < beganMs).map(tookMs);
      const during = requests.filter(({ dueMs }) => dueMs >= beganMs && dueMs < endMs);
      const since = [...requests, ...larges].filter(({ dueMs }) => dueMs >= beganMs);
      const failed = failures(since);
      const p99 = { alone: percentile(alone, 99), beside: percentile(during.map(tookMs), 99) };
      const count = Object.values(failed).reduce((sum, each) => sum + each, 0);
      return {
        figures: {
          requests: since.length,
          failed,
          alone_p99_ms: rounded(p99.alone),
          beside_p99_ms: rounded(p99.beside),
          peak_rss_mb: rounded(peakMb),
          rss_after_mb: rounded(memoryMb(pid, 'VmRSS')),
          served_after_ms: servedMs === undefined ? undefined : rounded(servedMs),
        },
        measured:
          `${count} of ${since.length} failed ${JSON.stringify(failed)}, p99 ${ms(p99.alone)} → ${ms(p99.beside)}; ` +
          `engine at most ${peakMb.toFixed(0)} MB, ` +
          (servedMs === undefined ? `not serving within ${ms(SERVES_MS)}` : `serving ${ms(servedMs)} after it`),
        passed: count < LOST_SHARE * since.length && servedMs !== undefined && peakMb <= RSS_BAR_MB,
        missed: count > 0 ? [`${count} failed`] : [],
      };
    },
  };
}

function largeRequests(system: Caller): Load {
  const inputs = [{ data: Buffer.from(Float32Array.of(1).buffer) }];
  const request = { model: RASTER_MODEL, detail: RequestDetail.DETAIL_RASTER };
  return paceLoad({ system, inputs, request, ratePerS: LARGE_RATE_PER_S, deadlineMs: DEADLINE_MS });
}

/** Resets VmHWM, see proc(5). */
function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

function memoryMb(pid: number, name: 'VmHWM' | 'VmRSS'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)![1]) / 1_024;
}

/** How long a new caller waits for an answer; undefined: longer than SERVES_MS. */
async function servedAfter({ inputs: [input] }: Stage, address: string): Promise<number | undefined> {
  const beganMs = performance.now();
  const engine = new EngineServiceClient(address, grpc.credentials.createInsecure());
  const data = input!.data;
  const one = { id: 1n, model: basename(SHIPPED_MODEL), modelVersion: 0, shape: [data.length / 4], data };
  const rest = { timeoutUs: 0n, digestOnly: false, traceParent: Buffer.of(), traceLayers: false };
  const item = { ...one, ...rest, state: Buffer.of(), returnState: false, detail: Detail.DETAIL_UNSPECIFIED };
  const answered = await new Promise<boolean>((resolve) => {
    const deadline = Date.now() + SERVES_MS;
    engine.infer({ item }, new grpc.Metadata({ waitForReady: true }), { deadline }, (error) => resolve(error === null));
  });
  engine.close();
  return answered ? performance.now() - beganMs : undefined;
}

const COURSES: readonly Course[] = [
  { play: 'rasters', fault: '256 streams that ask for 64 rasters each and read none' },
  { play: 'unread', fault: '4,096 unary calls that open no window for their answers', isUnary: true },
  { play: 'sockets', fault: '4,096 unary calls on sockets that are not read', isUnary: true },
  { play: 'resets', fault: 'calls that are reset as soon as they are sent' },
  { play: 'traces', fault: '4,096 traces that are not read', isUnary: true },
  { play: 'huge', fault: 'messages of 64 MB' },
  { play: 'connections', fault: '3,000 connections' },
  { play: 'garbage', fault: 'connections that send random bytes' },
  { play: 'bombs', fault: '64 KB that gzip makes 64 MB of' },
];

export const hostileEngineScenarios: readonly Scenario[] = COURSES.map(scenario);
