// Finds engines of the pool that are the same process: a process that is registered under two ids, or found twice,
// would have two votes.
//
// An instance id is a claim: an engine may read another engine's id by Describe and claim it. So a claim must never
// displace a connected, trusted engine. The rules, in this order:
//
//   1  Engines that are down, quarantined or draining are not duplicates and do not make others duplicates.
//   2  Of the others with the same address (given by an operator), the first in the pool is used; the rest are its
//      duplicates.
//   3  Of the others with the same instance id, its owner is used: the engine that has claimed it longest. The claim
//      stays while the engine is down, and ends when it describes itself with another id. Claims made before the pool
//      has settled count as simultaneous; then the first in the pool is the owner. The rest are duplicates of the owner.
//
// So an engine with a false id only becomes a duplicate. Duplicates are quarantined together with the engine that is
// used, since they claim to be the same process. After that each must pass the tests itself.
import { resolve } from 'node:path';
import type { EngineKind } from './engine.ts';

/** The process of an engine of the pool. */
export interface ProcessView {
  readonly id: string;
  readonly kind: EngineKind;
  readonly engine: { readonly address: string; readonly description: object | undefined };
  /** Instance id of the process, from its last description; empty: unknown. */
  readonly instanceId: string;
  /** Order in which it claimed that id: lower is earlier. */
  readonly claimOrder: number;
  readonly isDraining: boolean;
  /** Why its answers are not trusted; empty: they are trusted. */
  readonly quarantine: string;
}

/** Ids of duplicates, each with the id of the engine that is used instead. */
export function findDuplicates(engines: readonly ProcessView[]): ReadonlyMap<string, string> {
  const usable = engines.filter(
    ({ engine, isDraining, quarantine }) => engine.description !== undefined && !isDraining && quarantine === '',
  );
  const sameAddress = firstOfEach(usable, addressOf);
  const left = usable.filter(({ id }) => !sameAddress.has(id)).sort((a, b) => a.claimOrder - b.claimOrder);
  const sameProcess = firstOfEach(left, ({ instanceId }) => instanceId);
  const all = [...sameAddress].map(([id, first]) => [id, sameProcess.get(first) ?? first] as const);
  return new Map([...all, ...sameProcess]);
}

/** Ids of all engines but the first with each key, with the id of the first. Empty keys are skipped. */
function firstOfEach(engines: readonly ProcessView[], keyOf: (engine: ProcessView) => string): Map<string, string> {
  const firstOf = new Map<string, string>();
  const others = new Map<string, string>();
  for (const engine of engines) {
    const key = keyOf(engine);
    const first = firstOf.get(key);
    if (key === '') continue;
    if (first === undefined) firstOf.set(key, engine.id);
    else others.set(engine.id, first);
  }
  return others;
}

/** "in-process" is not an address. */
function addressOf({ kind, engine }: ProcessView): string {
  return kind === 'local' ? '' : normalAddress(engine.address);
}

/** Normalizes an address: "unix:///run/e.sock" → "unix:/run/e.sock", "LOCALHOST:50061" → "127.0.0.1:50061". */
export function normalAddress(address: string): string {
  if (address.startsWith('unix:')) return `unix:${resolve(address.slice('unix:'.length))}`;
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).toLowerCase().replace(/\.$/, '');
  const port = Number(address.slice(colon + 1));
  return `${normalHost(host === 'localhost' ? '127.0.0.1' : host)}:${port}`;
}

function normalHost(host: string): string {
  if (!URL.canParse(`http://${host}`)) return host;
  const { hostname } = new URL(`http://${host}`);
  // An IPv4-mapped IPv6 address.
  const mapped = /^\[::ffff:([0-9a-f]+):([0-9a-f]+)\]$/.exec(hostname);
  if (mapped === null) return hostname;
  const [high, low] = [parseInt(mapped[1]!, 16), parseInt(mapped[2]!, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
