// Makes golden vectors of a version.
import { RouterError } from '../core/errors.ts';
import { goldenText } from '../models/golden.ts';
import { keyOf } from '../models/repository.ts';
import { unknown } from './errors.ts';
import type { GoldenOutcome, PublisherParts } from './parts.ts';

const MAX_GOLDEN_CASES = 64;

/** Uses generated inputs on which all engines with this version agree. Rejects with RouterError. */
export async function makeGolden(
  { models, pins, pool, loads, store }: PublisherParts,
  name: string,
  number: number,
  cases: number,
  replace: boolean,
): Promise<GoldenOutcome> {
  if (cases < 1 || cases > MAX_GOLDEN_CASES) {
    const message = `cases is ${cases}; give 1 to ${MAX_GOLDEN_CASES}`;
    throw new RouterError('INVALID_FIELD', message, { field: 'cases' });
  }
  const version = models.find(name, number)[0];
  const pin = version && pins.find(version.heldAs, version.version);
  if (version?.folder === undefined || pin === undefined) throw unknown(name, number, models.versions);
  if (version.golden.length > 0 && !replace) {
    const message = `model ${keyOf(version)} has ${version.golden.length} golden vectors; ask for replacing to make others`;
    throw new RouterError('MODEL_EXISTS', message, { field: 'replace' });
  }
  const engines = pool.holders(version.heldAs, version.version);
  if (engines.length < 2) {
    const message = `golden vectors need two engines that agree, and ${engines.length} hold model ${keyOf(version)}`;
    throw new RouterError('LOAD_FAILED', message);
  }
  const known = await loads.agree(engines, pin, cases);
  if (known.length === 0) throw new RouterError('LOAD_FAILED', 'no made-up input has an answer on this model');
  const golden = known.map(({ input, stateDigest, readoutDigest }, index) => ({
    ...{ name: `made up ${index + 1}`, data: Buffer.from(input.data), shape: input.shape },
    ...{ stateDigest, readoutDigest },
  }));
  await store.writeBeside(version.folder, 'golden.json', goldenText(version.version, golden));
  models.put({ ...version, golden });
  const held = loads.find(pin.name, pin.version);
  if (held !== undefined) loads.add({ ...held, known });
  const kinds = new Set(engines.map(({ kind }) => kind)).size;
  return { version: { ...version, golden }, cases: golden.length, engineIds: engines.map(({ id }) => id), kinds };
}
