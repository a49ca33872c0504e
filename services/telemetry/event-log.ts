// The newest events, and their subscribers.
//
// Subscribers have no queues: each has a position in the log that advances as its reader takes events, so a thousand
// stopped readers use as little memory as one. A subscriber that is slower than the log drops events misses some, and
// is told how many before the next event. Publishing only wakes subscribers, once for all events of one turn of the
// event loop, and never waits for one. Each topic of the router has its own limits, and so have the users' topics
// together, so a flood of one evicts no events of others.
import { randomBytes } from 'node:crypto';
import type { Event, NewEvent } from './event.ts';
import { EventRing, type RingBounds } from './event-ring.ts';
import { TOPIC_GROUPS, type TopicGroup, groupOf, isWanted, mayWant } from './event-topics.ts';

export type Delivery =
  | { readonly event: Event }
  /** Number of missed events; for events lost before it subscribed, an upper bound. */
  | { readonly missed: number };

export interface Subscription {
  /** Its next event; undefined: none yet. */
  take(): Delivery | undefined;
  end(): void;
}

export interface SubscribeOptions {
  /** Topics in the form of `isWanted`. Default empty: all. */
  readonly topics?: readonly string[];
  /** Only events after this one; default: after the newest one. */
  readonly afterSequence?: number;
  /** Called when there may be an event to take. Not called from inside publish(). */
  readonly onNews: () => void;
}

/** Counts for the metrics. */
export interface EventObserver {
  eventPublished(group: TopicGroup): void;
  /** A slow subscriber missed this many events. */
  eventsMissed(count: number): void;
}

interface EventLogOptions extends RingBounds {
  readonly observer?: EventObserver;
  readonly now?: () => number;
}

const NOTHING = new Uint8Array();

export class EventLog {
  /** Id of this run: sequence numbers start at 1 in each run. */
  readonly instance = randomBytes(8).toString('hex');
  readonly #options: EventLogOptions;
  readonly #rings: ReadonlyMap<TopicGroup, EventRing>;
  readonly #subscribers = new Set<Subscriber>();
  #lastSequence = 0;
  #isWaking = false;

  /** The limits are per group of topics. */
  constructor(options: EventLogOptions) {
    this.#options = options;
    this.#rings = new Map(TOPIC_GROUPS.map((group) => [group, new EventRing(options)]));
  }

  /** Sequence of the newest event; 0: none yet. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }

  /** The caller must check the topic and the size. */
  publish(what: NewEvent): Event {
    const { observer, now = Date.now } = this.#options;
    const { topic, text, severity = 'INFO', data = {}, payload = NOTHING, traceId = '', count = 1, replaces } = what;
    this.#lastSequence += 1;
    const timeMs = now();
    const event: Event = {
      ...{ sequence: this.#lastSequence, timeMs, topic, severity, text, data, payload, traceId, count },
      firstTimeMs: what.firstTimeMs ?? timeMs,
    };
    const group = groupOf(topic);
    const ring = this.#rings.get(group)!;
    if (replaces !== undefined) ring.delete(replaces);
    for (const evicted of ring.push(event)) {
      for (const subscriber of this.#subscribers) {
        if (subscriber.lose(evicted)) observer?.eventsMissed(1);
      }
    }
    observer?.eventPublished(group);
    this.#wake();
    return event;
  }

  /** Newest first. */
  recent(limit: number): readonly Event[] {
    const newest = [...this.#rings.values()].flatMap((ring) => ring.newest(limit));
    return newest.sort((a, b) => b.sequence - a.sequence).slice(0, limit);
  }

  /** Events that are already in the log can be taken at once, without waiting for `onNews`. */
  subscribe({ topics = [], afterSequence = this.#lastSequence, onNews }: SubscribeOptions): Subscription {
    const rings = [...this.#rings].filter(([group]) => mayWant(topics, group)).map(([, ring]) => ring);
    const subscriber = new Subscriber({
      rings,
      topics,
      afterSequence,
      missed: rings.some(({ lastEvicted }) => lastEvicted > afterSequence) ? this.#forgottenAfter(afterSequence) : 0,
      lastSequence: () => this.#lastSequence,
      onNews,
      onEnd: () => this.#subscribers.delete(subscriber),
    });
    this.#subscribers.add(subscriber);
    return subscriber;
  }

  #forgottenAfter(sequence: number): number {
    const held = [...this.#rings.values()].reduce((sum, ring) => sum + ring.countAfter(sequence), 0);
    return this.#lastSequence - sequence - held;
  }

  #wake(): void {
    if (this.#isWaking || this.#subscribers.size === 0) return;
    this.#isWaking = true;
    setImmediate(() => {
      this.#isWaking = false;
      for (const subscriber of this.#subscribers) subscriber.onNews();
    });
  }
}

interface SubscriberOptions {
  /** That can hold what it wants. */
  readonly rings: readonly EventRing[];
  readonly topics: readonly string[];
  readonly afterSequence: number;
  /** Before it came. */
  readonly missed: number;
  readonly lastSequence: () => number;
  readonly onNews: () => void;
  readonly onEnd: () => void;
}

class Subscriber implements Subscription {
  readonly #options: SubscriberOptions;
  /** Sequence of the last event that it has taken or skipped. */
  #taken: number;
  #missed: number;
  /** Sequence of the first of them. */
  #firstMissed: number;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#taken = options.afterSequence;
    this.#missed = options.missed;
    this.#firstMissed = options.missed > 0 ? options.afterSequence + 1 : Infinity;
  }

  get onNews(): () => void {
    return this.#options.onNews;
  }

  /** Whether an event that the log drops was wanted and not yet taken by this subscriber. */
  lose(event: Event): boolean {
    if (event.sequence <= this.#taken || !this.#isWanted(event)) return false;
    this.#missed += 1;
    this.#firstMissed = Math.min(this.#firstMissed, event.sequence);
    return true;
  }

  take(): Delivery | undefined {
    const next = this.#next();
    if (this.#firstMissed < (next?.sequence ?? Infinity)) {
      const missed = this.#missed;
      this.#missed = 0;
      this.#firstMissed = Infinity;
      return { missed };
    }
    this.#taken = next?.sequence ?? this.#options.lastSequence();
    return next && { event: next };
  }

  end(): void {
    this.#options.onEnd();
  }

  #next(): Event | undefined {
    let next: Event | undefined;
    for (const ring of this.#options.rings) {
      const event = ring.firstAfter(this.#taken, this.#isWanted);
      if (event !== undefined && event.sequence < (next?.sequence ?? Infinity)) next = event;
    }
    return next;
  }

  readonly #isWanted = ({ topic }: Event): boolean => isWanted(this.#options.topics, topic);
}
