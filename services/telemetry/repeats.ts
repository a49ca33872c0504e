// Equal causes are one event with a count. The first one is reported at once. Further ones are counted, and reported at
// a rate that falls from one a second to one a minute while they continue.
//
// Events of one subject, such as an engine, are reported in the order of their last occurrence, so the last report
// gives the present state. So the log says within a minute that an engine went down, even for a known cause.

import { causeOf } from '../core/cause.ts';

/** The number of occurrences. */
export interface Repeated {
  readonly count: number;
  /** The first occurrence, milliseconds since 1970. */
  readonly firstTimeMs: number;
}

interface Cause<What, Told> extends Repeated {
  count: number;
  publishedCount: number;
  lastMs: number;
  /** The last occurrence. */
  what: What;
  /** The last result of `tell`. */
  published: Told | undefined;
}

interface Subject<What, Told> {
  /** Least recent first. */
  readonly causes: Map<string, Cause<What, Told>>;
  lastMs: number;
  publishedMs: number;
  gapMs: number;
  timer: NodeJS.Timeout | undefined;
}

const MIN_GAP_MS = 1_000;
const MAX_GAP_MS = 60_000;
/** A cause without an occurrence for this time is new when it occurs again. */
const QUIET_MS = 2 * MAX_GAP_MS;
/** Maximum causes of one subject; further ones are counted together. An engine can send any text as a reason. */
const MAX_CAUSES = 16;
const MAX_SUBJECTS = 1_024;

export class Repeats<What, Told> {
  readonly #tell: (what: What, repeated: Repeated, before: Told | undefined) => Told;
  readonly #subjects = new Map<string, Subject<What, Told>>();

  /** `tell` gets its last result for the same cause. */
  constructor(tell: (what: What, repeated: Repeated, before: Told | undefined) => Told) {
    this.#tell = tell;
  }

  /** causeOf decides which causes are equal. */
  add(subjectName: string, causeName: string, what: What): void {
    const nowMs = performance.now();
    const subject = this.#subject(subjectName, nowMs);
    const { cause, isNew } = this.#cause(subject, causeOf(causeName), what, nowMs);
    cause.count += 1;
    cause.what = what;
    cause.lastMs = nowMs;
    subject.lastMs = nowMs;
    if (isNew || nowMs - subject.publishedMs >= subject.gapMs) this.#flush(subject);
    else subject.timer ??= setTimeout(() => this.#flush(subject), subject.publishedMs + subject.gapMs - nowMs).unref();
  }

  /** Reports all that has not been reported yet. */
  stop(): void {
    for (const subject of this.#subjects.values()) this.#flush(subject);
    this.#subjects.clear();
  }

  /** The most recent one is the last in the map. */
  #subject(name: string, nowMs: number): Subject<What, Told> {
    const known = this.#subjects.get(name);
    this.#subjects.delete(name);
    const isKnown = known !== undefined && nowMs - known.lastMs < QUIET_MS;
    const subject = isKnown
      ? known
      : { causes: new Map(), lastMs: nowMs, publishedMs: -Infinity, gapMs: MIN_GAP_MS, timer: undefined };
    this.#subjects.set(name, subject);
    if (this.#subjects.size > MAX_SUBJECTS) {
      const [oldest, forgotten] = [...this.#subjects][0]!;
      this.#flush(forgotten);
      this.#subjects.delete(oldest);
    }
    return subject;
  }

  #cause(
    { causes }: Subject<What, Told>,
    name: string,
    what: What,
    nowMs: number,
  ): { cause: Cause<What, Told>; isNew: boolean } {
    for (const [other, { lastMs }] of causes) if (nowMs - lastMs >= QUIET_MS) causes.delete(other);
    const key = causes.has(name) || causes.size < MAX_CAUSES ? name : '';
    const known = causes.get(key);
    const cause = known ?? {
      ...{ count: 0, publishedCount: 0, firstTimeMs: Date.now(), lastMs: nowMs, what, published: undefined },
    };
    causes.delete(key);
    causes.set(key, cause);
    return { cause, isNew: known === undefined };
  }

  #flush(subject: Subject<What, Told>): void {
    clearTimeout(subject.timer);
    subject.timer = undefined;
    subject.publishedMs = performance.now();
    let hasRepeated = false;
    for (const cause of subject.causes.values()) {
      if (cause.publishedCount === cause.count) continue;
      hasRepeated ||= cause.count > 1;
      cause.publishedCount = cause.count;
      cause.published = this.#tell(cause.what, { count: cause.count, firstTimeMs: cause.firstTimeMs }, cause.published);
    }
    if (hasRepeated) subject.gapMs = Math.min(2 * subject.gapMs, MAX_GAP_MS);
  }
}
