// The newest events, and their subscribers.
//
// Subscribers have no queues: each is a place in the log that moves on as its reader takes events, so that a thousand
// stopped readers keep as much memory as one. A subscriber that reads more slowly than the log forgets has missed events and is told
// how much, before what came after it. Publishing only wakes subscribers, once for all that one turn of the event loop
// publishes: it never waits for one. Each topic of the router has bounds of its own, and so have the users' together, so
// that a flood of one pushes out nothing of the others.
import { randomBytes } from 'node:crypto';
import type { Event, NewEvent } from './event.ts';
import { EventRing, type RingBounds } from './event-ring.ts';
import { TOPIC_GROUPS, type TopicGroup, groupOf, isWanted, mayWant } from './event-topics.ts';

export type Delivery =
  | { readonly event: Event }
  /** How many wanted events it did not get; of what was lost before it came, the most there can have been. */
  | { readonly missed: number };

export interface Subscription {
  /** What is next for it; undefined: nothing yet. */
  take(): Delivery | undefined;
  end(): void;
}

export interface SubscribeOptions {
  /** As `isWanted` takes them. Empty, the default: all. */
  readonly topics?: readonly string[];
  /** Only what comes after it; default: after the newest one. */
  readonly afterSequence?: number;
  /** There is something to take, or may be. Not called from within publish(). */
  readonly onNews: () => void;
}

/** Told of what happened, for the metrics. */
export interface EventObserver {
  eventPublished(group: TopicGroup): void;
  /** A subscriber was too slow for so many. */
  eventsMissed(count: number): void;
}

interface EventLogOptions extends RingBounds {
  readonly observer?: EventObserver;
  readonly now?: () => number;
}

const NOTHING = new Uint8Array();

export class EventLog {
  /** Names this run: sequences start anew with the next one. */
  readonly instance = randomBytes(8).toString('hex');
  readonly #options: EventLogOptions;
  readonly #rings: ReadonlyMap<TopicGroup, EventRing>;
  readonly #subscribers = new Set<Subscriber>();
  #lastSequence = 0;
  #isWaking = false;

  /** The bounds are those of each group of topics. */
  constructor(options: EventLogOptions) {
    this.#options = options;
    this.#rings = new Map(TOPIC_GROUPS.map((group) => [group, new EventRing(options)]));
  }

  /** Of the newest event; 0: there was none yet. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }

  /** Whether the caller may publish on that topic, and so much, is for the caller to know. */
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

  /** Nothing is taken before `onNews`, except by asking: what the log already has can be taken at once. */
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
  /** Sequence of the last event that it has taken, or that is none of its business. */
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

  /** The log has forgotten an event. Whether this subscriber wanted it and had not yet taken it. */
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
