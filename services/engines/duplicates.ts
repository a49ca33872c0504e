// Which engines of the pool are one process: one that is registered under two ids, or found twice, would have two votes.
//
// An instance id is a claim: an engine may read that of another one by Describe and say that it is its own. So it must never
// displace an engine that is connected and trusted. In this order:
//
//   1  Engines that are down, quarantined or draining are neither duplicates nor make another engine one.
//   2  Of those left with one address (an operator gave it), the first in the pool is used; the others are its duplicates.
//   3  Of those left with one instance id, its owner is used: the engine that has claimed it longest. It keeps its claim while
//      it is down, and loses it when it describes itself with another id. What is claimed before the pool has settled counts
//      as claimed at once: there the first in the pool is the owner. The others are duplicates of the one that is used.
//
// What an engine gains by a false id is to be a duplicate. The quarantine puts out duplicates together with the engine that
// is used, for they say that they are the same process; after that each has to prove itself.
import { resolve } from 'node:path';
import type { EngineKind } from './engine.ts';

/** An engine of the pool, as far as its process is concerned. */
export interface ProcessView {
  readonly id: string;
  readonly kind: EngineKind;
  readonly engine: { readonly address: string; readonly description: object | undefined };
  /** Of the process, as last described; empty: not known. */
  readonly instanceId: string;
  /** When it began to claim that id: the lower, the earlier. */
  readonly claimOrder: number;
  readonly isDraining: boolean;
  /** Why its answers are not trusted; empty: they are. */
  readonly quarantine: string;
}

/** Ids of engines that are the same process as another one, and the id of that one, which is used. */
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

/** Ids of all but the first with each key, and the id of that first one. Those whose key is empty are left out. */
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

/** "in-process" is no address. */
function addressOf({ kind, engine }: ProcessView): string {
  return kind === 'local' ? '' : normalAddress(engine.address);
}

/** One spelling for each address: "unix:///run/e.sock" is "unix:/run/e.sock", "LOCALHOST:50061" is "127.0.0.1:50061". */
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
  // An IPv4 address that is written as an IPv6 one.
  const mapped = /^\[::ffff:([0-9a-f]+):([0-9a-f]+)\]$/.exec(hostname);
  if (mapped === null) return hostname;
  const [high, low] = [parseInt(mapped[1]!, 16), parseInt(mapped[2]!, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
