// The behaviour of the router for its callers, one row per case: every strategy, every cache mode, every failure, with
// real sidecars. Each row has its own router, which asks `one` first, then `two`, then `three`.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ModelFolder } from '../support/model-folder.ts';
import { chain, node } from '../support/run-network.ts';
import { Fleet } from './router-table/fleet.ts';
import { play } from './router-table/play.ts';
import { IDS, type Id, type Row } from './router-table/row.ts';
import { Stage } from './router-table/stage.ts';
import { TABLE } from './router-table/table.ts';

let models: ModelFolder;
let fleet: Fleet<Id>;
let stage: Stage;

beforeAll(async () => {
  models = new ModelFolder();
  cpSync('deploy/models/supersense', join(models.path, 'supersense'), { recursive: true });
  // A weight that overflows to infinity.
  models.add('overflow', 1, chain(1, 1, { big: node('Scale', { scale: 1e38 }) }), 'steps: 4\ninput: {shape: [1]}\n');
  fleet = await Fleet.start(IDS, models.path);
});

afterAll(async () => {
  await fleet.stop();
  models.remove();
});

afterEach(async () => {
  await stage.clear();
});

describe.each(Object.entries(TABLE))('%s', (_subject, rows: readonly Row[]) => {
  it.each(rows.map((row) => [row.name, row] as const))('%s', async (_name, row) => {
    stage = await Stage.set(row, fleet, models.path);
    const { cancelledIn: _, others, ...expected } = row.expected;
    const outcome = await play(row, stage);
    expect(outcome).toMatchObject(expected);
    if (others !== undefined) expect(outcome.others).toMatch(others);
  });
});
