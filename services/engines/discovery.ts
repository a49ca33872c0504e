// Engines found by DNS: a host name with several addresses (as with `docker compose up --scale engine=3`) is as many
// engines, and they come and go as its addresses do.
//
// DNS may say what to add, but not what to take away: an answer may be incomplete, wrong, or point to addresses where
// nothing answers. So no error removes an engine, and an engine leaves in this order only:
//
//   1  Two answers in a row lack its address (one, if it is down).
//   2  An engine that is listed serves in its place. While none does, all stay. After that as many stay as there are
//      listed addresses where none serves. So there are never more that serve than were listed at one time, and an
//      engine that serves alone never leaves.
//   3  An engine that is kept and down for 30 s has nothing to offer, and leaves.
import { lookup } from 'node:dns/promises';
import type { Engine } from './engine.ts';
import type { EnginePool } from './pool.ts';
import type { PooledEngine } from './pooled-engine.ts';
import { type FoundEngine, isServing, isUp, substitutes } from './substitutes.ts';

export interface DiscoveryTarget {
  /** What the ids of its engines begin with. */
  readonly name: string;
  /** "host:port". */
  readonly address: string;
}

/** Every address of a host; rejects where there is none, or no name server. */
export type Lookup = (host: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

/** As every other program on this machine does it: /etc/hosts, then DNS. */
export const systemLookup: Lookup = (host) => lookup(host, { all: true });

export interface DiscoveryEvents {
  found(pooled: PooledEngine): void;
  /** It finishes what it has in flight, and is removed then. */
  vanished(pooled: PooledEngine): void;
  /** Engines that are no longer listed are kept, because `why`. Not again before `replaced`. */
  kept(engines: readonly PooledEngine[], why: string): void;
  /** None is kept any more. */
  replaced(): void;
  /** `count` engines were found that the pool does not take. Not again before it has taken all. */
  refused(count: number, why: string): void;
  /** The name has not been resolved. Not again before it has. */
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

/** So many answers in a row that lack an address take its engine away. */
const MISSES = 2;
/** Lost engines make for further lookups, but not for more than one in so long, milliseconds. */
const MIN_GAP_MS = 500;
/** Addresses without an engine that are named as the reason why others are kept. */
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
  /** By address. One that an operator has removed stays here, lest the next answer bring it back. */
  readonly #members = new Map<string, Member>();
  #timer: NodeJS.Timeout | undefined;
  #askedMs = -Infinity;
  #isAsking = false;
  /** The answer that is being waited for may be older than the loss of an engine. */
  #isUrgent = false;
  /** Why the name has not been resolved; empty: it has. */
  #failure = '';
  /** Why engines that are no longer listed are kept; empty: none is. */
  #keeping = '';
  /** Addresses of the last answer that the pool did not take. */
  #refused: ReadonlySet<string> = new Set();
  #isStopped = false;

  constructor(target: DiscoveryTarget, parts: DiscoveryParts) {
    this.#target = target;
    this.#parts = parts;
  }

  /** Resolves once the engines of the first answer have tried to connect; there may be none. */
  async start(): Promise<void> {
    await Promise.all(await this.#look());
  }

  /** What an operator should know of this name; empty: nothing. */
  get problem(): string {
    if (this.#failure === '') return this.#keeping;
    return `not resolved: ${this.#failure}${this.#members.size > 0 ? '; its engines stay as they are' : ''}`;
  }

  /**
   * To be told of every engine of the pool. One that is lost may have left for good, and another may have come. One that
   * came up may take the place of one that is kept.
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

  /** Looks no more; its engines stay. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /** … and its engines finish what they have in flight, and leave. */
  async close(): Promise<void> {
    this.stop();
    const staying = [...this.#members].filter(([, { isLeaving }]) => !isLeaving);
    await Promise.all(staying.map(([address, member]) => this.#dismiss(address, member)));
  }

  /** Asks once, and sees to it that it is asked again. Resolves with the starts of the engines that are new. */
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

  /** Undefined where that cannot be known now. */
  async #addresses(): Promise<ReadonlySet<string> | undefined> {
    const { lookup, events } = this.#parts;
    const { host } = split(this.#target.address);
    try {
      const found = await lookup(host);
      if (found.length === 0) throw new Error(`"${host}" has no address`);
      if (this.#failure !== '') events.recovered();
      this.#failure = '';
      // An engine with an address of each kind would be there twice, and its own witness in a vote.
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

  /** Whether an engine serves that is listed. */
  get #hasServing(): boolean {
    return [...this.#members.values()].some(({ misses, pooled }) => misses === 0 && isServing(pooled));
  }

  /** Listed addresses without an engine that serves. An operator's own doing leaves no place to fill. */
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
    // What is being connected to for the first time may answer any moment.
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

  /** Until it has gone it keeps its place: an address that is back too early is taken in with a later answer. */
  async #dismiss(address: string, member: Member): Promise<void> {
    const { pool } = this.#parts;
    const { pooled } = member;
    const isKnown = (): boolean => pool.engines.includes(pooled);
    member.isLeaving = true;
    if (isKnown()) {
      pool.setDraining(pooled, true);
      await pooled.engine.stop(); // once it has finished what is in flight
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

/** The same for the same address, whenever it is found: ("engine", "10.0.0.3") → "engine-10-0-0-3". */
export function engineId(name: string, address: string): string {
  return `${name}-${address.replaceAll(/[^A-Za-z0-9]/g, '-')}`;
}

/** "[fd00::3]:50061" → "fd00::3" and "50061". */
function split(address: string): { host: string; port: string } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replaceAll(/[[\]]/g, ''), port: address.slice(colon + 1) };
}
