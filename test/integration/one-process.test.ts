// One engine process with two ids or two addresses is asked once, and votes once.
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { EngineState } from '../../services/generated/tandem/v1/engines.ts';
import { Strategy } from '../../services/generated/tandem/v1/types.ts';
import { LyingEngine } from '../fakes/lying-engine.ts';
import { readHeldout } from '../support/heldout.ts';
import { Operator } from '../support/operator.ts';
import { refusalOf } from '../support/refusal.ts';
import { type RunningSidecar, startSidecar } from '../support/sidecar.ts';
import { type System, startSystem } from '../support/system.ts';
import { SUPERSENSE } from '../support/models.ts';

const { ENGINE_STATE_READY: READY, ENGINE_STATE_DUPLICATE: DUPLICATE } = EngineState;
const [{ data }] = readHeldout() as [ReturnType<typeof readHeldout>[0]];
const tensor = { shape: [768], dtype: 'FP32', data };

let sidecar: RunningSidecar;
let other: RunningSidecar;
let system: System;
let operator: Operator;
let lines: Record<string, unknown>[];

beforeAll(async () => {
  [sidecar, other] = await Promise.all([startSidecar(SUPERSENSE), startSidecar(SUPERSENSE)]);
});

afterAll(async () => {
  await Promise.all([sidecar.stop(), other.stop()]);
});

beforeEach(() => {
  lines = [];
});

afterEach(async () => {
  operator.close();
  await system.stop();
});

async function start(sidecars: Record<string, string>): Promise<void> {
  const log = pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line) as object as never) });
  const settings = {
    ...{ local: { enabled: false }, cache: { enabled: false }, spawn: { count: 0 } },
    sidecars: Object.entries(sidecars).map(([id, address]) => ({ id, address })),
  };
  system = await startSystem(settings, log);
  operator = new Operator(system.adminAddress);
}

async function states(): Promise<unknown[][]> {
  return (await operator.engines()).map(({ id, state, duplicateOf }) => [id, state, duplicateOf]);
}

describe('a sidecar that is listed with two spellings of its address', () => {
  const spelled = (): Record<string, string> => ({
    first: sidecar.address,
    second: sidecar.address.replace('127.0.0.1', 'localhost'),
  });

  it('is asked by its first id, and has one vote', async () => {
    await start({ ...spelled(), other: other.address });
    expect(await states()).toEqual([
      ['first', READY, ''],
      ['second', DUPLICATE, 'first'],
      ['other', READY, ''],
    ]);
    const { vote } = await system.reason({ tensor, strategy: Strategy.STRATEGY_REDUNDANT });
    expect(vote?.ballots.map(({ engineId }) => engineId).sort()).toEqual(['first', 'other']);
    expect(lines.filter(({ msg }) => msg === 'engine duplicate')).toMatchObject([
      { level: 40, engine: 'second', why: 'same process as first' },
    ]);
  });

  it('is asked by its second id after the first is removed', async () => {
    await start(spelled());
    await operator.remove('first');
    expect(await states()).toEqual([['second', READY, '']]);
    expect((await system.reason({ tensor })).engine?.engineId).toBe('second');
  });

  it('is refused when it is registered again, with both names and addresses', async () => {
    await start({ first: sidecar.address });
    const address = sidecar.address.replace('127.0.0.1', 'localhost');
    const { code, reason, message } = await refusalOf(operator.register('second', address));
    expect([code, reason]).toEqual(['ALREADY_EXISTS', 'ENGINE_EXISTS']);
    expect(message).toContain(
      `engine "second" at ${address} is the same process as engine "first" at ${sidecar.address}`,
    );
    expect(await states()).toEqual([['first', READY, '']]);
  });
});

describe('a process that listens at two addresses', () => {
  const instanceId = randomBytes(16);
  let fronts: LyingEngine[];

  beforeEach(async () => {
    fronts = [new LyingEngine(sidecar.address), new LyingEngine(sidecar.address)];
    for (const front of fronts) front.describe = (truth) => ({ ...truth, instanceId });
    await Promise.all(fronts.map((front) => front.start()));
  });

  afterEach(() => {
    for (const front of fronts) front.stop();
  });

  it('is known by its instance id', async () => {
    await start({ first: fronts[0]!.address, second: fronts[1]!.address });
    const engines = await operator.engines();
    expect(engines.map((engine) => [engine.state, engine.instanceId, engine.stateReason])).toEqual([
      [READY, instanceId.toString('hex'), ''],
      [DUPLICATE, instanceId.toString('hex'), 'it is the same process as first, which gets the requests instead'],
    ]);
    for (let turn = 0; turn < 4; turn += 1) await system.reason({ tensor });
    expect(fronts.map(({ counts }) => counts.seen)).toEqual([4, 0]);
  });

  it('is refused when it is registered with its other address, and not kept', async () => {
    await start({ first: fronts[0]!.address });
    const { reason, message } = await refusalOf(operator.register('second', fronts[1]!.address));
    expect([reason, message]).toEqual(['ENGINE_EXISTS', expect.stringContaining('same process as engine "first"')]);
    expect(await states()).toEqual([['first', READY, '']]);
  });
});
