// An engine that returns false data, beside two correct ones: no caller gets a wrong answer, and the engine is named.
import * as grpc from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { ReasonRequest } from '../../services/generated/tandem/v1/reasoning.ts';
import { BreakerState, EngineState } from '../../services/generated/tandem/v1/engines.ts';
import { CacheMode, Strategy } from '../../services/generated/tandem/v1/types.ts';
import { Random } from '../fuzz/random.ts';
import {
  type EngineLie,
  FORBIDDEN_KINDS,
  FORBIDDEN_REFUSALS,
  MALFORMED,
  REFUSALS,
  SILENCE,
  HARMLESS,
  WRONG_ANSWERS,
} from '../fakes/lies.ts';
import { LyingEngine } from '../fakes/lying-engine.ts';
import { RECORDING_LIES } from '../fakes/recording-lies.ts';
import { callBatch } from '../support/batch-call.ts';
import { type Caller, callRouter } from '../support/caller.ts';
import { DisputeFile } from '../support/dispute-file.ts';
import { readHeldout } from '../support/heldout.ts';
import { closedLoad } from '../support/load.ts';
import { Operator } from '../support/operator.ts';
import { type RouterProcess, startRouter } from '../support/router-process.ts';
import { type RunningSidecar, startSidecar } from '../support/sidecar.ts';
import { answerKey } from '../support/answer-key.ts';
import { until } from '../support/until.ts';
import { SUPERSENSE } from '../support/models.ts';

const STRATEGIES = ['ROUND_ROBIN', 'FASTEST', 'HEDGED', 'REDUNDANT'] as const;
type StrategyName = (typeof STRATEGIES)[number];

const REQUESTS = 24;
const IN_FLIGHT = 4;

/** Other inputs in each run, so that each lie is tested with several inputs. */
const seed = Date.now() % 1_000_000;
const inputs = new Random(seed).shuffled(readHeldout()).slice(0, REQUESTS);

const disputes = new DisputeFile();
let sidecars: RunningSidecar[];
let liar: LyingEngine;
let liarId = '';
let liars = 0;
let router: RouterProcess;
let caller: Caller;
let batches: grpc.Client;
let operator: Operator;
let truths: string[];

beforeAll(async () => {
  sidecars = await Promise.all(Array.from({ length: 3 }, () => startSidecar(SUPERSENSE)));
  liar = await new LyingEngine(sidecars[2]!.address).start();
});

afterAll(async () => {
  liar.stop();
  await Promise.all(sidecars.map((sidecar) => sidecar.kill()));
});

/** One router for the tests of a block, so the effects of one lie are visible to the later tests. */
function useRouter(): void {
  beforeAll(async () => {
    router = await startRouter({
      local: { enabled: false },
      sidecars: sidecars.slice(0, 2).map(({ address }, at) => ({ id: `honest-${at + 1}`, address })),
      disputes: disputes.settings,
      retry: { attempt_timeout_ms: 1_000 },
      hedged: { percentile: 99.9 }, // the engine answers before another one is asked, also on a busy machine
      slow_start_ms: 0, // the lying engine gets its share at once
    });
    caller = callRouter(router.address);
    batches = new grpc.Client(router.address, grpc.credentials.createInsecure());
    operator = new Operator(router.adminAddress);
    truths = (await ask('ROUND_ROBIN')).map(({ response }) => answerKey(response!));
  });

  afterEach(async () => {
    await operator.remove(liarId);
  });

  afterAll(() => {
    operator.close();
    batches.close();
    caller.close();
    router.kill();
  });
}

async function ask(strategy: StrategyName) {
  const request: Partial<ReasonRequest> = { strategy: Strategy[`STRATEGY_${strategy}`] };
  const load = closedLoad({ system: caller, inputs, request, total: REQUESTS, inFlight: IN_FLIGHT });
  return (await load.finished).requests.toSorted((a, b) => a.input - b.input);
}

/** Registers the lying engine as a new one, with the id `liarId`. */
async function register({ tamper }: EngineLie): Promise<void> {
  liarId = `liar-${(liars += 1)}`;
  liar.tamper = tamper;
  liar.counts.lied = 0;
  await operator.register(liarId, liar.address);
}

/** The effect of a lie on callers. */
async function lie(strategy: StrategyName, each: EngineLie): Promise<unknown> {
  await register(each);
  const requests = await ask(strategy);
  const wrong = requests.filter(
    ({ response, input }) => response !== undefined && answerKey(response) !== truths[input],
  );
  const failed = requests.filter(({ outcome }) => outcome !== 'OK').map(({ outcome, code }) => `${code} ${outcome}`);
  const { inFlight } = await operator.metrics();
  return { seed, failed, wrong: wrong.length, inFlight };
}

/** A wrong answer of a run with a claimed recording. */
const WITH_RECORDING = WRONG_ANSWERS.find(({ name }) => name === 'another state digest, recorded')!;

const UNNOTICED = { seed, failed: [], wrong: 0, inFlight: 0 };

/** Sends requests until `isSo`: with HEDGED the engine may answer too late to be checked. */
async function askUntil(what: string, isSo: () => Promise<boolean>, strategy: StrategyName): Promise<void> {
  const check = async (): Promise<boolean> => {
    if (await isSo()) return true;
    await ask(strategy);
    return false;
  };
  await until(check, { what, timeoutMs: 15_000 });
}

const untilNamed = (strategy: StrategyName): Promise<void> => askUntil('a dispute record', isNamed, strategy);
const untilFailing = (strategy: StrategyName): Promise<void> => askUntil('its failures', isFailing, strategy);

async function isNamed(): Promise<boolean> {
  if (disputes.against(liarId).length > 0) return true;
  const { state } = await operator.engine(liarId);
  return state === EngineState.ENGINE_STATE_QUARANTINED;
}

async function isFailing(): Promise<boolean> {
  const { failed, breaker } = await operator.engine(liarId);
  return failed > 0n || breaker !== BreakerState.BREAKER_STATE_CLOSED || (await isNamed());
}

describe.each(STRATEGIES)('with %s', (strategy) => {
  useRouter();

  it.each(REFUSALS)('no caller gets a wrong $name, and the engine is named', async (each) => {
    expect(await lie(strategy, each)).toEqual(UNNOTICED);
    await untilNamed(strategy);
    expect(liar.counts.lied).toBeGreaterThan(0);
  });

  it.each(MALFORMED)('no caller gets $name, and the engine is named', async (each) => {
    expect(await lie(strategy, each)).toEqual(UNNOTICED);
    await untilNamed(strategy);
    expect(liar.counts.lied).toBeGreaterThan(0);
  });

  it.each(FORBIDDEN_REFUSALS)('a refusal with $name is the engine’s failure', async (each) => {
    expect(await lie(strategy, each)).toEqual(UNNOTICED);
    await untilFailing(strategy);
    expect(liar.counts.lied).toBeGreaterThan(0);
  });

  it.each(HARMLESS)('$name changes nothing', async (each) => {
    expect(await lie(strategy, each)).toEqual(UNNOTICED);
  });

  it('an engine that never answers only costs time', async () => {
    expect(await lie(strategy, SILENCE)).toEqual(UNNOTICED);
  });
});

describe('an engine', () => {
  useRouter();

  it.each(FORBIDDEN_KINDS)('may not refuse with $name', async (each) => {
    expect(await lie('ROUND_ROBIN', each)).toEqual(UNNOTICED);
    await untilFailing('ROUND_ROBIN');
  });
});

describe('a vote', () => {
  useRouter();

  it.each(WRONG_ANSWERS)('outvotes $name, and names the engine', async (each) => {
    expect(await lie('REDUNDANT', each)).toEqual(UNNOTICED);
    await untilNamed('REDUNDANT');
  });
});

describe('a dispute', () => {
  useRouter();

  afterAll(() => {
    liar.recording = undefined;
  });

  it.each(RECORDING_LIES)('is recorded although the engine’s recording is $name', async ({ recording }) => {
    liar.recording = recording;
    expect(await lie('REDUNDANT', WITH_RECORDING)).toEqual(UNNOTICED);
    const record = (await until(() => disputes.against(liarId)[0], { what: 'the record' }))!;
    expect(record.differences).toMatchObject([{ engine: liarId, reference: '', text: expect.any(String) }]);
  });
});

describe('a batch', () => {
  useRouter();

  it.each([...REFUSALS, ...MALFORMED])('gets all its answers despite $name', async (each) => {
    await register(each);
    const items = inputs.map(({ data }) => ({
      tensor: { shape: [data.length / 4], dtype: 'FP32', data },
      cache: CacheMode.CACHE_MODE_BYPASS,
    }));
    const results = await callBatch(batches, items).results;
    const said = results.map(({ outcome }) => (outcome?.$case === 'result' ? answerKey(outcome.value) : 'failed'));
    expect({ seed, said }).toEqual({ seed, said: truths });
    await untilNamed('ROUND_ROBIN');
  });
});
