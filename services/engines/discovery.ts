// Engines found by DNS: a host name with several addresses (as with `docker compose up --scale engine=3`) is as many
// engines, and they come and go as its addresses do.
//
// DNS is not to be trusted with taking away: an answer may be incomplete, and no answer says nothing. So an engine that
// is up leaves only when two answers in a row lack its address, and no error ever takes one.
import { lookup } from 'node:dns/promises';
import type { Engine } from './engine.ts';
import type { EnginePool } from './pool.ts';
import type { PooledEngine } from './pooled-engine.ts';

export interface DiscoveryTarget {
  /** What the ids of its engines begin with. */
  readonly name: string;
  /** "host:port". */
  readonly address: string;
}

/** Every address of a host; rejects where there is none, or nobody to ask. */
export type Lookup = (host: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

/** As every other program on this machine does it: /etc/hosts, then DNS. */
export const systemLookup: Lookup = (host) => lookup(host, { all: true });

export interface DiscoveryEvents {
  found(pooled: PooledEngine): void;
  /** It finishes what it has in flight, and is removed then. */
  vanished(pooled: PooledEngine): void;
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

interface Member {
  readonly pooled: PooledEngine;
  /** Answers in a row that lacked its address. */
  misses: number;
  wasUp: boolean;
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
  #isFailing = false;
  #isRefusing = false;
  #isStopped = false;

  constructor(target: DiscoveryTarget, parts: DiscoveryParts) {
    this.#target = target;
    this.#parts = parts;
  }

  /** Resolves once the engines of the first answer have tried to connect; there may be none. */
  async start(): Promise<void> {
    await Promise.all(await this.#look());
  }

  /** To be told of every engine of the pool. One that is lost may have left for good, and another may have come. */
  engineChanged(pooled: PooledEngine): void {
    const member = [...this.#members.values()].find((each) => each.pooled === pooled);
    if (member === undefined) return;
    const isUp = pooled.engine.description !== undefined;
    if (member.wasUp && !isUp) this.#hurry();
    member.wasUp = isUp;
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
      if (this.#isFailing) events.recovered();
      this.#isFailing = false;
      // An engine with an address of each kind would be there twice, and its own witness in a vote.
      const ipv4 = found.filter(({ family }) => family === 4);
      return new Set((ipv4.length > 0 ? ipv4 : found).map(({ address }) => address).sort());
    } catch (error) {
      if (!this.#isFailing && !this.#isStopped) events.failed((error as Error).message);
      this.#isFailing = true;
      return undefined;
    }
  }

  #dismissMissing(addresses: ReadonlySet<string>): void {
    for (const [address, member] of this.#members) {
      member.misses = addresses.has(address) ? 0 : member.misses + 1;
      const isDown = member.pooled.engine.description === undefined;
      const isGone = member.misses >= MISSES || (member.misses > 0 && isDown);
      if (!isGone || member.isLeaving) continue;
      if (this.#parts.pool.engines.includes(member.pooled)) this.#parts.events.vanished(member.pooled);
      void this.#dismiss(address, member);
    }
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
    let refused = 0;
    let why = '';
    for (const address of addresses) {
      if (this.#members.has(address)) continue;
      const place = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
      try {
        const pooled = pool.add(connect(engineId(this.#target.name, address), place));
        this.#members.set(address, { pooled, misses: 0, wasUp: false, isLeaving: false });
        events.found(pooled);
        starts.push(pooled.engine.start());
      } catch (error) {
        refused += 1;
        why = (error as Error).message;
      }
    }
    if (refused > 0 && !this.#isRefusing) events.refused(refused, why);
    this.#isRefusing = refused > 0;
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
