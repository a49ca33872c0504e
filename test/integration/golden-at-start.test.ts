// Golden vectors are checked at the start of the router, as at every load of a model.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { ModelState } from '../../services/generated/tandem/v1/models.ts';
import { readHeldout } from '../support/heldout.ts';
import { ModelOperator } from '../support/model-operator.ts';
import { SUPERSENSE } from '../support/models.ts';
import { refusalOf } from '../support/refusal.ts';
import { startSystem } from '../support/system.ts';

interface Golden {
  readonly cases: { state_digest: string; name: string }[];
}

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-golden-'));
  for (const name of ['supersense', 'damaged'])
    cpSync(join(SUPERSENSE, 'supersense'), join(folder, name), { recursive: true });
  const manifest = join(folder, 'damaged/model.yaml');
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('name: supersense', 'name: damaged'));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Writes valid golden vectors with a wrong digest in the third. Returns that vector's right digest. */
function damage(): string {
  const path = join(folder, 'damaged/golden.json');
  const golden = JSON.parse(readFileSync(path, 'utf8')) as Golden;
  const right = golden.cases[2]!.state_digest;
  golden.cases[2]!.state_digest = right.replace(/./g, (digit) => ((parseInt(digit, 16) + 1) % 16).toString(16));
  writeFileSync(path, JSON.stringify(golden));
  return right;
}

it.each([true, false])(
  'a model with a wrong golden vector is not served, and others are (local engine: %s)',
  async (enabled) => {
    const right = damage();
    const system = await startSystem({ models_dir: folder, local: { enabled }, spawn: { count: 1 } });
    const models = new ModelOperator(system.adminAddress);
    try {
      const found = (await models.models()).find(({ name }) => name === 'damaged');
      expect([found?.state, found?.error]).toEqual([
        ModelState.MODEL_STATE_NOT_SERVED,
        expect.stringMatching(
          new RegExp(`^golden vector "piano" \\(3 of 16\\): expected state digest \\w+, got ${right}`),
        ),
      ]);
      const tensor = { shape: [768], dtype: 'FP32', data: readHeldout()[0]!.data };
      expect((await system.reason({ tensor })).model).toBe('supersense');
      expect((await refusalOf(system.reason({ tensor, model: 'damaged' }))).message).toMatch(/golden vector "piano"/);
    } finally {
      models.close();
      await system.stop();
    }
  },
);
