import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  ReasonRequest,
  type ReasonResponse,
  ReasoningServiceClient,
} from '../../services/generated/tandem/v1/reasoning.ts';
import { readHeldout } from '../support/heldout.ts';
import { Operator } from '../support/operator.ts';
import { type RouterProcess, startRouter } from '../support/router-process.ts';
import { type RunningSidecar, startSidecar } from '../support/sidecar.ts';
import { StreamCaller, outcomeOf, streamMessage } from '../support/stream-caller.ts';
import { until } from '../support/until.ts';
import { SUPERSENSE } from '../support/models.ts';

/** 3 kB each: in the router they would be 60 MB. */
const OFFERED = Number(process.env['OFFERED'] ?? 20_000);
const OTHERS = 500;
const WINDOW = 128; // setting stream_window
const MAX_GROWTH_BYTES = 50 * 1_048_576;

const heldout = readHeldout();
const requests = heldout.map(({ data }, at) => ({
  requestId: String(at),
  tensor: { shape: [768], dtype: 'FP32', data },
}));

let sidecar: RunningSidecar;
let router: RouterProcess;
let operator: Operator;
let client: ReasoningServiceClient;

beforeAll(async () => {
  sidecar = await startSidecar(SUPERSENSE);
  router = await startRouter({ local: { enabled: false }, sidecars: [{ id: 'engine-1', address: sidecar.address }] });
  operator = new Operator(router.adminAddress);
  client = new ReasoningServiceClient(router.address, grpc.credentials.createInsecure());
});

afterAll(async () => {
  client.close();
  operator.close();
  await router.stop();
  await sidecar.stop();
});

const taken = async (from = operator): Promise<number> =>
  Number((await from.requests('ReasonStream.item'))?.count ?? 0n);

function reason(at: number): Promise<ReasonResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<ReasonResponse>();
  const request = ReasonRequest.fromPartial(requests[at % requests.length]!);
  client.reason(request, (error, response) => (error ? reject(error) : resolve(response)));
  return promise;
}

/** Resolves with the number of accepted stream requests when it stops changing. */
async function takenAtLast(from = operator): Promise<number> {
  const last = Array<number>(20).fill(-1);
  const isSteady = async (): Promise<boolean> => {
    last.shift();
    last.push(await taken(from));
    return last[0]! > 0 && last.every((each) => each === last[0]);
  };
  await until(isSteady, { what: 'the router to accept no more', timeoutMs: 15_000 });
  return last[0]!;
}

describe(`${OFFERED} requests from a caller that reads no answer`, () => {
  it('wait at the caller, affect no other caller, and are all answered once it reads', async () => {
    for (let at = 0; at < 2_000; at += 1) await reason(at); // the router's ordinary size
    const beforeBytes = router.rssBytes();

    const messages = requests.map((request) => streamMessage(request));
    // On the same connection as the other caller: it must not wait with it.
    const caller = new StreamCaller(client, { reads: false });
    for (let at = 0; at < OFFERED; at += 1) caller.sendMessage(messages[at % messages.length]!);
    caller.end();
    const held = await takenAtLast();
    expect(held).toBeLessThan(WINDOW * 8); // its window, and buffers of HTTP/2 for the answers

    for (let at = 0; at < OTHERS; at += 1) expect((await reason(at)).label).not.toBe('');
    expect(await taken()).toBe(held);
    expect(caller.unsent).toBeGreaterThan(OFFERED - WINDOW * 16);
    const grownBytes = router.rssBytes() - beforeBytes;
    expect(grownBytes).toBeLessThan(MAX_GROWTH_BYTES);

    const readMs = performance.now();
    caller.read();
    expect((await caller.ended).code).toBe(grpc.status.OK);
    expect(caller.answers).toHaveLength(OFFERED);
    expect(caller.answers.filter((answer) => outcomeOf(answer) !== 'OK')).toEqual([]);
    expect(await taken()).toBe(OFFERED);
    if (process.env['FIGURES']) {
      const toMb = (bytes: number): string => (bytes / 1_048_576).toFixed(1);
      const seconds = ((performance.now() - readMs) / 1_000).toFixed(1);
      process.stderr.write(
        `${OFFERED} offered: ${held} taken, router grew by ${toMb(grownBytes)} MB from ${toMb(beforeBytes)} MB; ` +
          `answered in ${seconds} s\n`,
      );
    }
  }, 120_000);
});

describe('a caller that reads no answer while the router stops', () => {
  const drainMs = 500;
  let stopping: RouterProcess;

  afterAll(() => stopping.kill());

  it('delays it by no more than the drain time', async () => {
    stopping = await startRouter({
      local: { enabled: false },
      sidecars: [{ id: 'engine-1', address: sidecar.address }],
      drain_timeout_ms: drainMs,
    });
    const from = new Operator(stopping.adminAddress);
    const itsClient = new ReasoningServiceClient(stopping.address, grpc.credentials.createInsecure());
    const caller = new StreamCaller(itsClient, { reads: false });
    for (let at = 0; at < 2_000; at += 1) caller.send(requests[at % requests.length]!);
    await takenAtLast(from);
    const beganMs = performance.now();
    expect(await stopping.stop()).toBe(0);
    expect(performance.now() - beganMs).toBeLessThan(drainMs + 2_000);
    from.close();
    itsClient.close();
  });
});
