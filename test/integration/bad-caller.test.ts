import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ReasoningServiceClient } from '../../services/generated/tandem/v1/reasoning.ts';
import { BAD_KINDS, BadCaller, type BadKind, EXPECTED } from '../support/bad-requests.ts';
import { readHeldout } from '../support/heldout.ts';
import { type LoadResult, closedLoad } from '../support/load.ts';
import { Operator } from '../support/operator.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

const BAD_REQUESTS = 10_000;
/** Node closes a connection that resets more than 1,000 streams and 33 a second. Each of these stays below that. */
const BAD_CONNECTIONS = 4;
const IN_FLIGHT_EACH = 12;

const heldout = readHeldout();

let system: System;
let operator: Operator;

beforeAll(async () => {
  system = await startSystem({ cache: { enabled: false } });
  operator = new Operator(system.adminAddress);
});

afterAll(async () => {
  operator.close();
  await system.stop();
});

type Counts = Record<BadKind, Record<string, number>>;

/** Counts of each kind by status. */
async function sendBad(): Promise<Counts> {
  const counts = Object.fromEntries(BAD_KINDS.map((kind) => [kind, {}])) as Counts;
  let sent = 0;
  const lane = async (caller: BadCaller): Promise<void> => {
    while (sent < BAD_REQUESTS) {
      const kind = BAD_KINDS[sent++ % BAD_KINDS.length]!;
      const code = await caller.send(kind);
      counts[kind][code] = (counts[kind][code] ?? 0) + 1;
    }
  };
  const connect = async (_: unknown, seed: number): Promise<void> => {
    const options = { 'grpc.use_local_subchannel_pool': 1 }; // a separate connection
    const client = new ReasoningServiceClient(system.address, grpc.credentials.createInsecure(), options);
    const caller = new BadCaller(client, heldout, seed);
    await Promise.all(Array.from({ length: IN_FLIGHT_EACH }, () => lane(caller)));
    client.close();
  };
  await Promise.all(Array.from({ length: BAD_CONNECTIONS }, connect));
  return counts;
}

describe(`${BAD_REQUESTS} bad requests of one caller beside good ones of another`, () => {
  let bad: Counts;
  let good: LoadResult;

  beforeAll(async () => {
    // The client library reads the stack of each of its errors, and Jest maps each line of it to its source.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    const other = closedLoad({ system, inputs: heldout, total: Infinity, inFlight: 1 });
    bad = await sendBad();
    good = await other.stop();
    Error.stackTraceLimit = stackTraceLimit;
    if (process.env['FIGURES']) process.stderr.write(`${JSON.stringify(bad)} ${good.requests.length} good\n`);
  }, 120_000);

  it.each(BAD_KINDS)('%s: each is refused as its caller’s own fault', (kind) => {
    const codes = Object.entries(bad[kind]).filter(([code]) => !EXPECTED[kind].includes(code));
    expect(codes).toEqual([]);
    expect(Object.values(bad[kind]).reduce((a, b) => a + b)).toBe(BAD_REQUESTS / BAD_KINDS.length);
  });

  it.each(['cancelled', 'deadline passed'] as const)('%s: engines were asked and then cancelled', (kind) => {
    const cutShort = EXPECTED[kind][0]!;
    expect(bad[kind][cutShort]).toBeGreaterThan(BAD_REQUESTS / BAD_KINDS.length / 10);
  });

  it('fail no good request', () => {
    expect(good.failed).toEqual([]);
    expect(good.requests.length).toBeGreaterThan(20);
  });

  it('change no breaker, and do not count against an engine', async () => {
    await until(async () => (await operator.engines()).every(({ inFlight }) => inFlight === 0), {
      what: 'the engines to be free',
    });
    const engines = await operator.engines();
    expect(engines.map(({ id }) => id)).toEqual(['local', 'engine-1', 'engine-2']);
    expect(engines.flatMap(({ breakerEvents }) => breakerEvents)).toEqual([]);
    // On a busy machine the good caller's requests may time out, too.
    const failed = [...engines, ...(await operator.metrics()).engines].map((engine) => Number(engine.failed));
    expect(Math.max(...failed)).toBeLessThan(BAD_REQUESTS / 1_000);
  });
});
