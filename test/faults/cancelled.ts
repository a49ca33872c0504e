// Callers cancel half of all requests. A Node server ends a connection that resets about 1,000 streams at once (33 more
// a second), so callers open a new connection before that.
import * as grpc from '@grpc/grpc-js';
import { ReasonRequest, ReasoningServiceClient } from '../../services/generated/tandem/v1/reasoning.ts';
import { CacheMode } from '../../services/generated/tandem/v1/types.ts';
import { until } from '../support/until.ts';
import { type Scenario, pause, rounded, slope } from './scenario.ts';

const SECONDS = 45;
const CONNECTIONS = 4;
const IN_FLIGHT_EACH = 16;
const CANCELS_A_CONNECTION = 800;
/** Some are cancelled before the router has read them, some while an engine computes, some too late. */
const CANCEL_WITHIN_MS = 4;

export const cancelled: Scenario = {
  name: 'cancelled',
  fault: 'half of the requests cancelled',
  settings: {},
  bar: 'memory flat, 0 open streams, 0 in flight afterwards, 0 of the others failed',
  async run(stage) {
    const sidecars = await stage.sidecars(2);
    const router = await stage.router(this.settings, sidecars);
    const requests = stage.inputs.map(({ data }) =>
      ReasonRequest.fromPartial({
        tensor: { shape: [data.length / 4], dtype: 'FP32', data },
        cache: CacheMode.CACHE_MODE_BYPASS,
      }),
    );
    const counts = { sent: 0, answered: 0, cancelled: 0, connections: 0 };
    const failed: Record<string, number> = {};
    const { count = Infinity, seconds = SECONDS } = stage.options;
    const endMs =
      count === Infinity || stage.options.seconds !== undefined ? performance.now() + seconds * 1_000 : Infinity;
    const isOver = (): boolean => counts.sent >= count || performance.now() >= endMs;

    const one = (client: ReasoningServiceClient, cancels: boolean): Promise<void> =>
      new Promise((resolve) => {
        const call = client.reason(requests[counts.sent++ % requests.length]!, (error) => {
          if (error === null) counts.answered += 1;
          else if (cancels && error.code === grpc.status.CANCELLED) counts.cancelled += 1;
          else
            failed[`${grpc.status[error.code]}: ${error.details}`] =
              (failed[`${grpc.status[error.code]}: ${error.details}`] ?? 0) + 1;
          resolve();
        });
        if (cancels) setTimeout(() => call.cancel(), Math.random() * CANCEL_WITHIN_MS);
      });

    /** One connection after another, each for as many cancellations as a server allows. */
    const line = async (): Promise<void> => {
      while (!isOver()) {
        const client = new ReasoningServiceClient(router.address, grpc.credentials.createInsecure(), {
          'grpc.use_local_subchannel_pool': 1,
        });
        counts.connections += 1;
        let sent = 0;
        const lane = async (): Promise<void> => {
          while (sent < 2 * CANCELS_A_CONNECTION && !isOver()) {
            sent += 1;
            await one(client, sent % 2 === 0);
          }
        };
        await Promise.all(Array.from({ length: IN_FLIGHT_EACH }, lane));
        client.close();
      }
    };

    const memory: [sent: number, mb: number][] = [];
    const sampler = setInterval(() => memory.push([counts.sent, router.rssBytes() / 1_048_576]), 500);
    await Promise.all(Array.from({ length: CONNECTIONS }, line));
    clearInterval(sampler);
    const quiet = async (): Promise<boolean> => {
      const { inFlight, engines, connections } = await router.operator.metrics();
      last = {
        in_flight: inFlight,
        engines_in_flight: engines.map((each) => each.inFlight),
        clients: connections?.clients,
      };
      return inFlight === 0 && engines.every((each) => each.inFlight === 0) && (connections?.clients ?? 0) <= 1;
    };
    let last: Record<string, unknown> = {};
    // The operator is the only remaining client.
    const isQuiet = await until(quiet, { what: 'the router to be idle', timeoutMs: 5_000 }).catch(() => false);
    await pause(500);
    const late = memory.slice(memory.length >> 1);
    const mbPer100k = slope(late) * 100_000;
    const failures = Object.values(failed).reduce((a, b) => a + b, 0);
    return {
      figures: {
        ...counts,
        failed,
        afterwards: last,
        rss_mb: memory.map(([sent, mb]) => [sent, rounded(mb, 1)]),
        second_half_mb_per_100k: rounded(mbPer100k),
      },
      measured:
        `${counts.sent} requests, ${counts.cancelled} cancelled, ${failures} failed; memory ` +
        `${memory[0]?.[1].toFixed(0)} → ${late[0]?.[1].toFixed(0)} → ${late.at(-1)?.[1].toFixed(0)} MB (${mbPer100k.toFixed(1)} MB per 100,000 in the second half); ` +
        `afterwards ${JSON.stringify(last)}, over ${counts.connections} connections`,
      passed: failures === 0 && isQuiet,
      missed: [
        ...(mbPer100k > 5 ? [`memory ${mbPer100k.toFixed(1)} MB per 100,000`] : []),
        ...(counts.sent < 1_000_000 ? [`${counts.sent} of 1000000 (--count)`] : []),
      ],
    };
  },
};
