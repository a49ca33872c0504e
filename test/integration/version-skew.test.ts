// A rolling upgrade: sidecars of an older build are replaced one by one under load, ordinary requests and votes.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Strategy } from '../../services/generated/tandem/v1/types.ts';
import type { LyingEngine } from '../fakes/lying-engine.ts';
import { readHeldout } from '../support/heldout.ts';
import { closedLoad } from '../support/load.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';
import { Fleet } from './router-table/fleet.ts';

const IDS = ['one', 'two', 'three'] as const;
const inputs = readHeldout();

let fleet: Fleet<(typeof IDS)[number]>;
let system: System;

beforeAll(async () => {
  fleet = await Fleet.start(IDS);
});

afterAll(async () => {
  await fleet.stop();
});

afterEach(async () => {
  await system.stop();
});

/** A build without the fields after the first release: it neither reads nor writes them. */
function makeOld(front: LyingEngine): void {
  front.describe = (truth) => ({
    ...truth,
    build: 'old',
    protocolVersion: 0,
    oldestProtocolVersion: 0,
    sessionStates: false,
  });
  front.rewrite = (item) => ({
    ...item,
    ...{ digestOnly: false, traceParent: new Uint8Array(), traceLayers: false, detail: 0 },
    ...{ state: new Uint8Array(), returnState: false },
  });
  front.lie = (truth) => ({ ...truth, readoutDigest: 0n, batchItems: 0, layers: [] });
}

function makeNew(front: LyingEngine): void {
  Object.assign(front, { describe: (truth: unknown) => truth, rewrite: (item: unknown) => item, lie: undefined });
}

async function start(over: Record<string, unknown> = {}): Promise<void> {
  const spawn = { count: 0 };
  const cache = { enabled: false };
  system = await startSystem({ local: { enabled: false }, cache, sidecars: fleet.settings, spawn, ...over });
}

describe('sidecars of two builds beside each other', () => {
  it('are upgraded one by one without a failed request, and agree exactly all the time', async () => {
    for (const id of IDS) makeOld(fleet.front(id));
    await start();
    const requests = closedLoad({ system, inputs, total: Infinity, inFlight: 4 });
    const votes = closedLoad({
      system: {
        reason: (request, options) => system.reason({ ...request, strategy: Strategy.STRATEGY_REDUNDANT }, options),
      },
      inputs,
      total: Infinity,
      inFlight: 2,
    });
    for (const id of IDS) {
      const engine = system.pool.find(id);
      expect(engine.build).toBe('old');
      await fleet.sidecar(id).stop();
      await until(() => engine.state === 'DOWN', { what: 'the router to notice' });
      makeNew(fleet.front(id));
      await fleet.restart(id);
      await until(() => engine.state === 'READY' && engine.breaker.state === 'CLOSED', { what: `${id} to return` });
      const [single, voted] = [requests.started, votes.started];
      await until(() => requests.started > single + 40 && votes.started > voted + 20, { what: 'requests with both' });
    }
    expect(system.pool.engines.map(({ build }) => build)).not.toContain('old');
    const results = [await requests.stop(), await votes.stop()];
    expect(results.map(({ failed }) => failed)).toEqual([[], []]);
    expect(system.pool.engines.map(({ quarantine }) => quarantine)).toEqual(['', '', '']);
  }, 120_000);

  it('a build with other numerics is excluded from every vote, and its state names both versions', async () => {
    for (const id of IDS) makeNew(fleet.front(id));
    fleet.front('three').describe = (truth) => ({ ...truth, numericsVersion: 2 });
    await start();
    const { state, unavailableReason } = system.pool.find('three');
    expect(state).toBe('DOWN');
    expect(unavailableReason).toMatch(
      /^down: three implements numerics version 2, this router 1: upgrade the router( \(|$)/,
    );
    const tensor = { shape: [768], dtype: 'FP32', data: inputs[0]!.data };
    const { vote } = await system.reason({ tensor, strategy: Strategy.STRATEGY_REDUNDANT });
    expect(vote!.ballots.map(({ engineId }) => engineId).sort()).toEqual(['one', 'two']);
    makeNew(fleet.front('three'));
    await until(() => system.pool.find('three').state === 'READY', { what: 'the one with the right build' });
  });
});
