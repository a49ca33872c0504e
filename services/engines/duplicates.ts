// Which engines of the pool are one process: one that is registered under two ids, or found twice, would have two votes.
import { resolve } from 'node:path';
import type { EngineKind } from './engine.ts';

/** An engine of the pool, as far as its process is concerned. */
export interface ProcessView {
  readonly id: string;
  readonly kind: EngineKind;
  readonly engine: { readonly address: string; readonly description: object | undefined };
  /** Of the process, as last described; empty: not known. */
  readonly instanceId: string;
  readonly isDraining: boolean;
  /** Why its answers are not trusted; empty: they are. */
  readonly quarantine: string;
}

/**
 * Ids of engines that are the same process as another one, and the id of that one: the first in the order of the pool. A
 * quarantined one comes before all others, and one that is held back counts also while it is down, so that its process does
 * not come back in under another id. Others that are down are left out.
 */
export function findDuplicates(engines: readonly ProcessView[]): ReadonlyMap<string, string> {
  const isQuarantined = ({ quarantine }: ProcessView): boolean => quarantine !== '';
  const ordered = [...engines.filter(isQuarantined), ...engines.filter((each) => !isQuarantined(each))];
  const firstOf = new Map<string, string>();
  const duplicates = new Map<string, string>();
  for (const pooled of ordered) {
    const isHeldBack = pooled.isDraining || isQuarantined(pooled);
    if (pooled.engine.description === undefined && !isHeldBack) continue;
    const keys = processKeys(pooled);
    const first = keys.map((key) => firstOf.get(key)).find((id) => id !== undefined);
    if (first !== undefined) duplicates.set(pooled.id, first);
    for (const key of keys) if (!firstOf.has(key)) firstOf.set(key, first ?? pooled.id);
  }
  return duplicates;
}

/** Engines that share one of these are one process. */
function processKeys({ kind, engine, instanceId }: ProcessView): string[] {
  return [
    ...(instanceId === '' ? [] : [`instance ${instanceId}`]),
    ...(kind === 'local' ? [] : [`address ${normalAddress(engine.address)}`]), // "in-process" is no address
  ];
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
