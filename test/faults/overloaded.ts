// Five times as many requests as an engine can compute. Its model is slow, so that nothing else is a bottleneck.
import { closedLoad, paceLoad } from '../support/load.ts';
import { ModelFolder } from '../support/model-folder.ts';
import { dims, matrix } from '../support/nir-writer.ts';
import { Status } from '../../services/generated/google/rpc/status.ts';
import { type Scenario, failures, ms, pause, percentile, rounded, slope } from './scenario.ts';

const SECONDS = 30;
const CALIBRATION_S = 3;
const TIMES = 5;
const INPUTS = 64;
const HIDDEN = 1_024;
const STEPS = 2_000;
const SETTLE_MS = 5_000;

function heavyModel(): ModelFolder {
  const graph = {
    type: 'NIRGraph' as const,
    nodes: {
      input: { type: 'Input', fields: { shape: dims(INPUTS) } },
      spread: { type: 'Linear', fields: { weight: matrix(...rows(HIDDEN, INPUTS)) } },
      fire: { type: 'LIF', fields: { tau: 1e-3, r: 1, v_leak: 0, v_threshold: 0.5 } },
      gather: { type: 'Linear', fields: { weight: matrix(...rows(INPUTS, HIDDEN)) } },
      output: { type: 'Output', fields: { shape: dims(INPUTS) } },
    },
    edges: [
      ['input', 'spread'],
      ['spread', 'fire'],
      ['fire', 'gather'],
      ['gather', 'output'],
    ] as [string, string][],
  };
  return new ModelFolder().add('heavy', 1, graph, `steps: ${STEPS}\ninput: {shape: [${INPUTS}]}\n`);
}

const rows = (count: number, length: number): number[][] =>
  Array.from({ length: count }, () => Array<number>(length).fill(1));

export const overloaded: Scenario = {
  name: 'overloaded',
  fault: '5 times the load that the engine can take',
  settings: { default_model: 'heavy' },
  bar: 'goodput within 10 % of capacity; the rest refused at once with RetryInfo; memory flat',
  async run(stage) {
    const models = heavyModel();
    try {
      const sidecars = await stage.sidecars(1, models.path);
      const router = await stage.router({ ...this.settings, models_dir: models.path }, sidecars);
      const ones = Buffer.from(new Float32Array(INPUTS).fill(1).buffer);
      const inputs = Array.from({ length: 16 }, () => ({ data: ones }));
      let capacity = 0;
      for (const inFlight of [4, 16, 64]) {
        const load = closedLoad({ system: router, inputs, total: Infinity, inFlight });
        await pause(1_000);
        const fromMs = performance.now();
        await pause(CALIBRATION_S * 1_000);
        const toMs = performance.now();
        const { requests } = await load.stop();
        const ended = requests.filter(
          ({ outcome, endMs }) => outcome === 'OK' && endMs >= fromMs && endMs < toMs,
        ).length;
        stage.progress(`${inFlight} in flight: ${rounded((ended * 1_000) / (toMs - fromMs))}/s`);
        capacity = Math.max(capacity, (ended * 1_000) / (toMs - fromMs));
      }

      let refused = 0;
      let withRetryInfo = 0;
      const caller = stage.caller(router.address, ({ metadata }) => {
        refused += 1;
        const details = metadata
          .get('grpc-status-details-bin')
          .flatMap((bytes) => Status.decode(bytes as Buffer).details);
        if (details.some(({ typeUrl }) => typeUrl.endsWith('RetryInfo'))) withRetryInfo += 1;
      });
      const seconds = stage.options.seconds ?? SECONDS;
      const memory: [seconds: number, mb: number][] = [];
      const beganMs = performance.now();
      const measure = (): void =>
        void memory.push([(performance.now() - beganMs) / 1_000, router.rssBytes() / 1_048_576]);
      const sampler = setInterval(measure, 500);
      const load = paceLoad({ system: caller, inputs, ratePerS: TIMES * capacity, deadlineMs: 10_000 });
      await pause(seconds * 1_000);
      clearInterval(sampler);
      const endMs = performance.now();
      const offered = (load.started * 1_000) / (endMs - beganMs);
      const { requests } = await load.stop();
      const { inFlight } = await router.operator.metrics();

      const fromMs = beganMs + Math.min(SETTLE_MS, (seconds * 1_000) / 4);
      const good = requests.filter((each) => each.outcome === 'OK' && each.endMs >= fromMs && each.endMs < endMs);
      const goodput = (good.length * 1_000) / (endMs - fromMs);
      const share = (goodput / capacity) * 100;
      const refusals = requests.filter(({ outcome }) => outcome !== 'OK');
      const refusalMs = refusals.map(({ startMs, endMs }) => endMs - startMs);
      const [refusalP50, refusalP99] = [percentile(refusalMs, 50), percentile(refusalMs, 99)];
      const answerP99 = percentile(
        good.map(({ startMs, endMs }) => endMs - startMs),
        99,
      );
      const late = memory.slice(memory.length >> 1);
      const growth = slope(late);
      const kinds = failures(requests);
      return {
        figures: {
          capacity_per_s: rounded(capacity),
          offered_per_s: rounded(offered),
          goodput_per_s: rounded(goodput),
          goodput_percent: rounded(share),
          refused: kinds,
          with_retry_info: withRetryInfo,
          refusal_p50_ms: rounded(refusalP50),
          refusal_p99_ms: rounded(refusalP99),
          answer_p99_ms: rounded(answerP99),
          rss_mb: memory.map(([at, mb]) => [rounded(at, 1), rounded(mb, 1)]),
          rss_slope_mb_per_s: rounded(growth, 3),
          in_flight_after: inFlight,
        },
        measured:
          `${goodput.toFixed(0)}/s of ${capacity.toFixed(0)}/s (${share.toFixed(0)} %) at ${offered.toFixed(0)}/s; ` +
          `${JSON.stringify(kinds)}, ${withRetryInfo} of ${refused} with RetryInfo, p50 ${ms(refusalP50)}, p99 ${ms(refusalP99)}; ` +
          `answers p99 ${ms(answerP99)}; memory ${growth.toFixed(2)} MB/s in the second half (${late[0]?.[1].toFixed(0)} → ${late.at(-1)?.[1].toFixed(0)} MB)`,
        passed:
          withRetryInfo === refused &&
          Object.keys(kinds).every((kind) => kind.startsWith('RESOURCE_EXHAUSTED')) &&
          inFlight === 0,
        missed: [
          ...(Math.abs(share - 100) > 10 ? [`goodput ${share.toFixed(0)} %`] : []),
          ...(refusalP99 > 50 ? [`refusals p99 ${ms(refusalP99)}`] : []),
          ...(growth > 0.5 ? [`memory ${growth.toFixed(2)} MB/s`] : []),
        ],
      };
    } finally {
      models.remove();
    }
  },
};
