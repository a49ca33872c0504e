// One of three engines is faulty: it answers Describe, but handles inputs wrongly.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BreakerState, EngineState } from '../../services/generated/tandem/v1/engines.ts';
import { Strategy } from '../../services/generated/tandem/v1/types.ts';
import {
  type Harm,
  answerTwice,
  answerUnknownIds,
  stopReading,
  refuseWith,
  ignoreInputs,
} from '../fakes/grey-harms.ts';
import { LyingEngine } from '../fakes/lying-engine.ts';
import { type Caller, callRouter } from '../support/caller.ts';
import { readHeldout } from '../support/heldout.ts';
import { closedLoad } from '../support/load.ts';
import { Operator } from '../support/operator.ts';
import { type RouterProcess, startRouter } from '../support/router-process.ts';
import { type RunningSidecar, startSidecar } from '../support/sidecar.ts';
import { until } from '../support/until.ts';
import { SUPERSENSE } from '../support/models.ts';

const inputs = readHeldout();
/** Long, so that the fault ends it and not a busy machine. */
const DEADLINE_MS = 5_000;

let sidecars: RunningSidecar[];
let engine: LyingEngine;
let router: RouterProcess;
let operator: Operator;
let caller: Caller;

beforeEach(async () => {
  sidecars = await Promise.all(Array.from({ length: 3 }, () => startSidecar(SUPERSENSE)));
  engine = await new LyingEngine(sidecars[0]!.address).start();
  const addresses = [engine, ...sidecars.slice(1)].map(({ address }) => address);
  router = await startRouter({
    local: { enabled: false },
    sidecars: addresses.map((address, at) => ({ id: `engine-${at + 1}`, address })),
    breaker: { reset_ms: 60_000 }, // a quarantine does not end
  });
  operator = new Operator(router.adminAddress);
  caller = callRouter(router.address);
  await until(async () => (await operator.engines()).every(({ build }) => build !== ''), { what: 'the engines' });
});

afterEach(async () => {
  caller.close();
  operator.close();
  await router.stop();
  engine.stop();
  await Promise.all(sidecars.map((sidecar) => sidecar.kill()));
});

/** Sends requests until `end` holds. Resolves with those that failed. */
async function failuresUntil(end: () => Promise<unknown>): Promise<string[]> {
  const load = { system: caller, inputs, total: Infinity, deadlineMs: DEADLINE_MS };
  const turns = closedLoad({ ...load, request: { strategy: Strategy.STRATEGY_ROUND_ROBIN }, inFlight: 12 });
  const votes = closedLoad({ ...load, request: { strategy: Strategy.STRATEGY_REDUNDANT }, inFlight: 4 });
  try {
    await end();
  } finally {
    await Promise.all([turns.stop(), votes.stop()]);
  }
  const all = [...(await turns.finished).failed, ...(await votes.finished).failed];
  return all.map(({ outcome }) => outcome);
}

const isOut = async (): Promise<boolean> => {
  const { state, breaker } = await operator.engine('engine-1');
  return state !== EngineState.ENGINE_STATE_READY || breaker !== BreakerState.BREAKER_STATE_CLOSED;
};

describe('under a load with votes', () => {
  const HARMS: [string, Harm][] = [
    ['ignores inputs', ignoreInputs],
    ['answers with unknown ids', answerUnknownIds],
    ['sends each answer twice', answerTwice],
    ['stops reading', stopReading],
    ['answers everything with CANCELLED', refuseWith('CANCELLED')],
  ];

  it.each(HARMS)('an engine that %s is excluded, and no request fails', async (_, harm) => {
    const warm = closedLoad({ system: caller, inputs, total: 100, inFlight: 12 });
    expect((await warm.finished).failed).toEqual([]);
    const failed = await failuresUntil(async () => {
      harm(engine);
      await until(isOut, { what: 'the engine to be excluded', timeoutMs: 8_000 });
      await closedLoad({ system: caller, inputs, total: 50, inFlight: 4 }).finished;
    });
    expect(failed).toEqual([]);
    const { stateReason, breakerEvents } = await operator.engine('engine-1');
    expect(stateReason || breakerEvents.at(-1)?.why).toBeTruthy();
  });
});
