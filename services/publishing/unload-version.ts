// Unload: stop serving → the last request ends → engines unload it.
import type { PinnedModel } from '../engines/model-pins.ts';
import type { ModelVersion } from '../models/repository.ts';
import { unknown } from './errors.ts';
import type { EndListener, PublisherParts, UnloadOutcome } from './parts.ts';

/**
 * `number` 0: the latest served one. `ended` is called before the last requests have ended. Rejects with RouterError.
 */
export async function unloadVersion(
  parts: PublisherParts,
  name: string,
  number: number,
  deleteFiles: boolean,
  ended: EndListener,
): Promise<UnloadOutcome> {
  const { models, store, events } = parts;
  const found = number === 0 ? models.find(name, 0)[0] : models.get(name, number);
  if (found === undefined) throw unknown(name, number, models.versions);
  const version = { ...found, isUnloaded: true };
  const drained = found.use.count;
  if (!found.isUnloaded) {
    models.put(version);
    ended(found, 'UNLOADED');
    events.changed();
  }
  let isRemembered = true;
  if (deleteFiles) {
    if (found.folder !== undefined) await store.remove(found.folder);
    models.remove(version);
  } else if (found.folder !== undefined) isRemembered = await store.markUnloaded(found.folder, true);
  await retire(parts, found);
  const outcome = { version, drained, isRemembered };
  events.unloaded(outcome);
  return outcome;
}

/** Releases a version that is no longer served, once the last request for it has ended. */
export async function retire(parts: PublisherParts, { heldAs, version, use }: ModelVersion): Promise<void> {
  await use.idle();
  const pin = parts.pins.find(heldAs, version);
  if (pin !== undefined) await giveUp(parts, pin);
}

/** Unloads an unused version from all engines. */
export async function giveUp({ pins, pool, loads, events }: PublisherParts, pin: PinnedModel): Promise<void> {
  loads.delete(pin);
  await Promise.all(pool.engines.map((engine) => loads.unload(engine, pin.name, pin.version)));
  pins.drop(pin.name, pin.version);
  pool.pinsChanged();
  events.changed();
}
