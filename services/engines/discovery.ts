// Engines found by DNS: each address of a host name is an engine (as with `docker compose up --scale engine=3`).
// Engines are added and removed with the addresses.
//
// DNS alone may add engines but not remove them, because an answer may be incomplete, wrong, or point to addresses
// where nothing answers. So an error removes no engine, and an engine is removed only under these conditions:
//
//   1  Two consecutive answers lack its address (one, if it is down).
//   2  A listed engine serves instead of it. While no listed engine serves, all stay. After that, as many stay as there
//      are listed addresses without a serving engine. So there are never more serving engines than were listed at one
//      time, and the only serving engine is never removed.
//   3  A kept engine that is down for 30 s is removed.
import { lookup } from 'node:dns/promises';
import type { Engine } from './engine.ts';
import type { EnginePool } from './pool.ts';
import type { PooledEngine } from './pooled-engine.ts';
import { type FoundEngine, isServing, isUp, substitutes } from './substitutes.ts';

export interface DiscoveryTarget {
  /** Prefix of its engines' ids. */
  readonly name: string;
  /** "host:port". */
  readonly address: string;
}

/** Resolves to all addresses of a host. Rejects if there is none, or no name server. */
export type Lookup = (host: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

/** Like every other program on this machine: /etc/hosts, then DNS. */
export const systemLookup: Lookup = (host) => lookup(host, { all: true });

export interface DiscoveryEvents {
  found(pooled: PooledEngine): void;
  /** The engine finishes its requests in flight and is then removed. */
  vanished(pooled: PooledEngine): void;
  /** Unlisted engines are kept, because `why`. Called once until `replaced`. */
  kept(engines: readonly PooledEngine[], why: string): void;
  /** No unlisted engine is kept any more. */
  replaced(): void;
  /** `count` engines were found that the pool refuses. Called once until it accepts all. */
  refused(count: number, why: string): void;
  /** The name could not be resolved. Called once until it is. */
  failed(why: string): void;
  recovered(): void;
}

export interface DiscoveryParts {
  readonly pool: EnginePool;
  readonly connect: (id: string, address: string) => Engine;
  readonly lookup: Lookup;
  readonly events: DiscoveryEvents;
  readonly intervalMs: number;
}

/** Number of consecutive answers without an address that remove its engine. */
const MISSES = 2;
/** Lost engines cause extra look-ups, at most one in this time, milliseconds. */
const MIN_GAP_MS = 500;
/** Maximum number of addresses named in a reason. */
const MAX_NAMED = 4;

interface Member extends FoundEngine {
  misses: number;
  lastUpMs: number;
  wasUp: boolean;
  /** Its first attempt to connect is over. */
  hasTried: boolean;
  isLeaving: boolean;
}

/** One host name and its engines. */
export class Discovery {
  readonly #target: DiscoveryTarget;
  readonly #parts: DiscoveryParts;
  /** By address. An engine that an operator removed stays here, so that the next answer does not add it again. */
  readonly #members = new Map<string, Member>();
  #timer: NodeJS.Timeout | undefined;
  #askedMs = -Infinity;
  #isAsking = false;
  /** The pending answer may be older than the loss of an engine. */
  #isUrgent = false;
  /** Why the name could not be resolved; empty: it was. */
  #failure = '';
  /** Why unlisted engines are kept; empty: none is. */
  #keeping = '';
  /** Addresses of the last answer that the pool refused. */
  #refused: ReadonlySet<string> = new Set();
  #isStopped = false;

  constructor(target: DiscoveryTarget, parts: DiscoveryParts) {
    this.#target = target;
    this.#parts = parts;
  }

  /** Resolves once the engines of the first answer (possibly none) have tried to connect. */
  async start(): Promise<void> {
    await Promise.all(await this.#look());
  }

  /** A problem with this name for the operator; empty: none. */
  get problem(): string {
    if (this.#failure === '') return this.#keeping;
    return `not resolved: ${this.#failure}${this.#members.size > 0 ? '; its engines stay as they are' : ''}`;
  }

  /**
   * Call for every change of an engine of the pool. A lost one may be gone for good and replaced by another; a new one
   * may replace a kept one.
   */
  engineChanged(pooled: PooledEngine): void {
    const member = [...this.#members.values()].find((each) => each.pooled === pooled);
    if (member === undefined) return;
    const isUpNow = isUp(member);
    if (member.wasUp || isUpNow) member.lastUpMs = performance.now();
    const cameUp = isUpNow && !member.wasUp;
    if ((member.wasUp && !isUpNow) || (cameUp && this.#keeping !== '')) this.#hurry();
    member.wasUp = isUpNow;
  }

  /** Stops the look-ups; its engines stay. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /** Stops the look-ups. Its engines finish their requests in flight and are removed. */
  async close(): Promise<void> {
    this.stop();
    const staying = [...this.#members].filter(([, { isLeaving }]) => !isLeaving);
    await Promise.all(staying.map(([address, member]) => this.#dismiss(address, member)));
  }

  /** Looks up once and schedules the next look-up. Resolves with the starts of new engines. */
  async #look(): Promise<Promise<void>[]> {
    this.#isAsking = true;
    this.#askedMs = performance.now();
    const addresses = await this.#addresses();
    this.#isAsking = false;
    if (this.#isStopped) return [];
    if (addresses !== undefined) this.#dismissMissing(addresses);
    const starts = addresses === undefined ? [] : this.#takeIn(addresses);
    this.#schedule(this.#isUrgent ? this.#gapMs : this.#parts.intervalMs);
    return starts;
  }

  /** Undefined if the look-up failed. */
  async #addresses(): Promise<ReadonlySet<string> | undefined> {
    const { lookup, events } = this.#parts;
    const { host } = split(this.#target.address);
    try {
      const found = await lookup(host);
      if (found.length === 0) throw new Error(`"${host}" has no address`);
      if (this.#failure !== '') events.recovered();
      this.#failure = '';
      // An engine with an IPv4 and an IPv6 address would be added twice, and would have two votes.
      const ipv4 = found.filter(({ family }) => family === 4);
      return new Set((ipv4.length > 0 ? ipv4 : found).map(({ address }) => address).sort());
    } catch (error) {
      const why = (error as Error).message;
      if (this.#failure === '' && !this.#isStopped) events.failed(why);
      this.#failure = why;
      return undefined;
    }
  }

  #dismissMissing(addresses: ReadonlySet<string>): void {
    for (const [address, member] of this.#members) member.misses = addresses.has(address) ? 0 : member.misses + 1;
    const vacant = this.#vacant(addresses);
    const missing = [...this.#members].filter(([, { misses, isLeaving }]) => misses > 0 && !isLeaving);
    const kept = substitutes(
      missing.map(([, member]) => member),
      this.#hasServing ? vacant.length : Infinity,
    );
    for (const [address, member] of missing) {
      const isGone = member.misses >= MISSES || !isUp(member);
      if (!isGone || kept.includes(member)) continue;
      if (this.#parts.pool.engines.includes(member.pooled)) this.#parts.events.vanished(member.pooled);
      void this.#dismiss(address, member);
    }
    this.#noteKept(
      kept.flatMap(({ pooled, misses }) => (misses >= MISSES ? [pooled] : [])),
      vacant,
    );
  }

  /** Whether a listed engine serves. */
  get #hasServing(): boolean {
    return [...this.#members.values()].some(({ misses, pooled }) => misses === 0 && isServing(pooled));
  }

  /** Listed addresses without a serving engine. Engines that an operator drained or removed do not count. */
  #vacant(addresses: ReadonlySet<string>): string[] {
    const { pool } = this.#parts;
    return [...addresses].filter((address) => {
      const member = this.#members.get(address);
      if (member === undefined) return !this.#refused.has(address);
      const { pooled, isLeaving } = member;
      if (isLeaving) return true; // listed again while it still drains
      return pool.engines.includes(pooled) && !pooled.isDraining && !isServing(pooled);
    });
  }

  #noteKept(kept: readonly PooledEngine[], vacant: readonly string[]): void {
    const { events } = this.#parts;
    if (kept.length === 0) {
      if (this.#keeping !== '') events.replaced();
      this.#keeping = '';
      return;
    }
    // Engines in their first attempt to connect may answer at any moment.
    if (!vacant.every((address) => this.#members.get(address)?.hasTried)) return;
    const reasons = vacant
      .slice(0, MAX_NAMED)
      .map((address) => `${address}: ${this.#members.get(address)!.pooled.unavailableReason}`);
    const more = vacant.length > MAX_NAMED ? `; and ${vacant.length - MAX_NAMED} more` : '';
    const why = `it lists addresses where no engine serves (${reasons.join('; ')}${more})`;
    const isNews = this.#keeping === '';
    this.#keeping = `${why}; engines that it no longer lists stay: ${kept.map(({ id }) => id).join(', ')}`;
    if (isNews) events.kept(kept, why);
  }

  /** The entry stays until the engine is removed: if its address returns before that, a later answer adds it. */
  async #dismiss(address: string, member: Member): Promise<void> {
    const { pool } = this.#parts;
    const { pooled } = member;
    const isKnown = (): boolean => pool.engines.includes(pooled);
    member.isLeaving = true;
    if (isKnown()) {
      pool.setDraining(pooled, true);
      await pooled.engine.stop(); // after its requests in flight
    }
    if (isKnown()) pool.remove(pooled.id);
    this.#members.delete(address);
  }

  #takeIn(addresses: ReadonlySet<string>): Promise<void>[] {
    const { pool, connect, events } = this.#parts;
    const { port } = split(this.#target.address);
    const starts: Promise<void>[] = [];
    const refused = new Set<string>();
    let why = '';
    for (const address of addresses) {
      if (this.#members.has(address)) continue;
      const target = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
      try {
        const pooled = pool.add(connect(engineId(this.#target.name, address), target));
        const member = { pooled, misses: 0, wasUp: false, lastUpMs: -Infinity, hasTried: false, isLeaving: false };
        this.#members.set(address, member);
        events.found(pooled);
        starts.push(pooled.engine.start().then(() => void (member.hasTried = true)));
      } catch (error) {
        refused.add(address);
        why = (error as Error).message;
      }
    }
    if (refused.size > 0 && this.#refused.size === 0) events.refused(refused.size, why);
    this.#refused = refused;
    return starts;
  }

  #hurry(): void {
    if (this.#isAsking) this.#isUrgent = true;
    else this.#schedule(this.#gapMs);
  }

  get #gapMs(): number {
    return Math.max(0, this.#askedMs + MIN_GAP_MS - performance.now());
  }

  #schedule(inMs: number): void {
    clearTimeout(this.#timer);
    this.#isUrgent = false;
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => void this.#look(), inMs).unref();
  }
}

/** Always the same id for the same address: ("engine", "10.0.0.3") → "engine-10-0-0-3". */
export function engineId(name: string, address: string): string {
  return `${name}-${address.replaceAll(/[^A-Za-z0-9]/g, '-')}`;
}

/** "[fd00::3]:50061" → "fd00::3" and "50061". */
function split(address: string): { host: string; port: string } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replaceAll(/[[\]]/g, ''), port: address.slice(colon + 1) };
}
