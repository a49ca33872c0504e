// All open sessions, and their limits. No open session is dropped for a new one: at a limit, the new one is refused.
//
// A session is created with its first message and is open once that is answered. Until then it counts, but has no state
// and is not listed.
import type { CallContext } from '../core/inference.ts';
import { sessionLimit } from './errors.ts';
import { ENDINGS, type Ending, type SessionOptions, type SessionRequest } from './options.ts';
import { Session, type SessionModel, type Step } from './session.ts';
import { SpikeWatch, type WatchedSpikes } from './spike-watch.ts';

/** Counts since the router started. */
interface SessionCounts {
  opened: number;
  readonly ended: Record<Ending, number>;
  /** Messages answered by a different engine than the previous message. */
  moved: number;
  /** Messages refused with SESSION_LIMIT. */
  refused: number;
}

interface SessionStats extends SessionCounts {
  readonly open: number;
  readonly bytes: number;
  /** Messages waiting for their turn. */
  readonly waiting: number;
}

interface SessionClock {
  /** A monotonic clock, milliseconds. */
  now(): number;
  /** Calls `run` repeatedly; returns a function that stops it. */
  every(ms: number, run: () => void): () => void;
}

interface SessionEvents {
  /** An open session ended. */
  ended(session: Session, why: Ending): void;
  /** SESSION_LIMIT, and the limit. */
  refused(why: string): void;
}

const NOBODY: SessionEvents = { ended: () => undefined, refused: () => undefined };
const SWEEP_MS = 1_000;

/** Share of `maxBytes` that one caller may use, so that no caller can keep the others from opening sessions. */
const CALLER_SHARE = 0.5;

/** What one caller uses. */
interface Usage {
  sessions: number;
  bytes: number;
}

const REAL_CLOCK: SessionClock = {
  now: () => performance.now(),
  every: (ms, run) => {
    const timer = setInterval(run, ms).unref();
    return () => clearInterval(timer);
  },
};

export class SessionStore {
  #options: SessionOptions;
  readonly #clock: SessionClock;
  readonly #events: SessionEvents;
  readonly #stopSweeping: () => void;
  /** By caller and id; the most recently used is last. */
  readonly #sessions = new Map<string, Session>();
  readonly #perCaller = new Map<string, Usage>();
  readonly #counts: SessionCounts = {
    opened: 0,
    ended: Object.fromEntries(ENDINGS.map((why) => [why, 0])) as Record<Ending, number>,
    moved: 0,
    refused: 0,
  };
  readonly #spikes = new SpikeWatch();
  #serial = 0;
  #open = 0;
  #bytes = 0;
  #waiting = 0;

  constructor(options: SessionOptions, events: SessionEvents = NOBODY, clock: SessionClock = REAL_CLOCK) {
    this.#options = options;
    this.#events = events;
    this.#clock = clock;
    this.#stopSweeping = clock.every(SWEEP_MS, () => this.expire());
  }

  configure(options: SessionOptions): void {
    this.#options = options;
  }

  get options(): SessionOptions {
    return this.#options;
  }

  get stats(): SessionStats {
    return { ...this.#counts, open: this.#open, bytes: this.#bytes, waiting: this.#waiting };
  }

  /** Creates a session that is not open. Throws SESSION_LIMIT. */
  enter(request: SessionRequest): Session {
    const { caller, id } = request;
    const key = keyOf(caller, id);
    const nowMs = this.#clock.now();
    let session = this.#sessions.get(key);
    if (session !== undefined && this.#isExpired(session, nowMs)) {
      this.end(session, 'EXPIRED');
      session = undefined;
    }
    if (session === undefined) {
      this.#checkRoom(caller, nowMs);
      session = new Session(caller, id, ++this.#serial, nowMs);
      this.#count(session, 1, session.bytes);
    }
    this.#touch(key, session, nowMs);
    return session;
  }

  /**
   * Resolves at this message's turn; undefined: now. A message that got its turn calls `leave` once, in any case.
   * Throws SESSION_LIMIT; rejects with the caller's reason to leave, or DEADLINE_EXCEEDED.
   */
  takeTurn(session: Session, context: CallContext): Promise<void> | undefined {
    const { maxWaiting, maxWaitingInAll } = this.#options;
    const { turns } = session;
    if (turns.length > maxWaiting) {
      throw this.#refuse(
        `${maxWaiting} messages of session "${session.id}" wait already (setting sessions.max_waiting)`,
      );
    }
    if (turns.length > 0 && this.#waiting >= maxWaitingInAll) {
      throw this.#refuse(`${this.#waiting} messages of sessions wait already (setting max_in_flight)`);
    }
    const turn = turns.enter(context);
    if (turn === undefined) return undefined;
    this.#waiting += 1;
    return turn.finally(() => (this.#waiting -= 1));
  }

  /**
   * The message has ended. If it should have opened the session and did not, the session is removed when no other
   * message waits.
   */
  leave(session: Session): void {
    session.turns.leave();
    if (session.model === undefined && session.turns.length === 0) this.#remove(session);
  }

  /** A message is answered: its session is now at that step. Throws SESSION_LIMIT; then nothing has changed. */
  commit(session: Session, model: SessionModel, step: Step): void {
    if (session.ended !== undefined) return;
    const before = session.bytes;
    if (session.model === undefined) {
      this.#checkBytes(session.caller, Math.max(0, session.growth(step)));
      this.#open += 1;
      this.#counts.opened += 1;
      session.model = model;
    } else if (session.engineId !== step.engineId) {
      this.#counts.moved += 1;
    }
    session.apply(step);
    session.messages += 1;
    this.#count(session, 0, session.bytes - before);
    const nowMs = this.#clock.now();
    this.#spikes.record(session, step.spikeCounts, nowMs);
    this.#touch(keyOf(session.caller, session.id), session, nowMs);
  }

  /** Stores the state of the current step without inputs. */
  compact(session: Session, state: Uint8Array): void {
    if (session.ended !== undefined) return;
    const before = session.bytes;
    session.setState(state);
    this.#count(session, 0, session.bytes - before);
  }

  /** Whether inputs may be kept besides states: if memory is short, only states are kept. */
  hasRoomForInputs(bytes: number): boolean {
    return this.#bytes + bytes <= this.#options.maxBytes;
  }

  end(session: Session, why: Ending): void {
    if (session.ended !== undefined) return;
    session.ended = why;
    this.#remove(session);
    if (session.model === undefined) return;
    this.#open -= 1;
    this.#counts.ended[why] += 1;
    this.#events.ended(session, why);
  }

  /** Ends the sessions of callers that `isGone` names. */
  endOf(isGone: (caller: string) => boolean): void {
    for (const session of this.#sessions.values()) if (isGone(session.caller)) this.end(session, 'OPERATOR');
  }

  /** Undefined: no such session is open. */
  find(caller: string, id: string): Session | undefined {
    const session = this.#sessions.get(keyOf(caller, id));
    return session?.model === undefined ? undefined : session;
  }

  /** Open sessions with serial numbers below `before`, newest first. */
  list(limit: number, before = Infinity): readonly Session[] {
    const isListed = ({ model, serial }: Session): boolean => model !== undefined && serial < before;
    const found = [...this.#sessions.values()].filter(isListed).sort((a, b) => b.serial - a.serial);
    return found.slice(0, limit);
  }

  /** The newest spikes of a session since the first call. Undefined: no such open session. */
  spikes(serial: number): WatchedSpikes | undefined {
    const session = [...this.#sessions.values()].find((each) => each.serial === serial);
    return session?.model === undefined ? undefined : this.#spikes.look(session, this.#clock.now());
  }

  /** Ends expired sessions. */
  expire(): void {
    const nowMs = this.#clock.now();
    for (const session of this.#sessions.values()) {
      if (nowMs - session.usedMs < this.#options.idleMs) return; // the following ones were used later
      if (this.#isExpired(session, nowMs)) this.end(session, 'EXPIRED');
    }
  }

  stop(): void {
    this.#stopSweeping();
  }

  nowMs(): number {
    return this.#clock.now();
  }

  /** A session with a running message is not idle. */
  #isExpired({ usedMs, turns }: Session, nowMs: number): boolean {
    return turns.length === 0 && nowMs - usedMs >= this.#options.idleMs;
  }

  #checkRoom(caller: string, nowMs: number): void {
    const { max, maxPerCaller, maxBytes } = this.#options;
    if (max === 0) throw this.#refuse('this router keeps no sessions (setting sessions.max)');
    if (this.#sessions.size >= max || this.#bytes >= maxBytes) {
      this.expire();
      if (this.#sessions.size >= max) throw this.#refuse(`${max} sessions are open (setting sessions.max)`, nowMs);
    }
    this.#checkBytes(caller, 1, nowMs);
    // Without names, all callers count as one.
    if (caller !== '' && (this.#perCaller.get(caller)?.sessions ?? 0) >= maxPerCaller) {
      throw this.#refuse(`${caller} has ${maxPerCaller} sessions open (setting sessions.max_per_caller)`);
    }
  }

  /** Whether a new session of so many bytes has room. Throws SESSION_LIMIT. */
  #checkBytes(caller: string, bytes: number, nowMs?: number): void {
    const { maxBytes } = this.#options;
    if (this.#bytes + bytes > maxBytes) {
      throw this.#refuse(`open sessions use ${this.#bytes} of ${maxBytes} bytes (setting sessions.max_bytes)`, nowMs);
    }
    const ofCaller = this.#perCaller.get(caller)?.bytes ?? 0;
    if (caller !== '' && ofCaller + bytes > CALLER_SHARE * maxBytes) {
      throw this.#refuse(
        `the sessions of ${caller} use ${ofCaller} bytes; one caller may use half of ${maxBytes} (setting sessions.max_bytes)`,
      );
    }
  }

  #count({ caller }: Session, sessions: number, bytes: number): void {
    const usage = this.#perCaller.get(caller) ?? { sessions: 0, bytes: 0 };
    usage.sessions += sessions;
    usage.bytes += bytes;
    this.#bytes += bytes;
    if (usage.sessions === 0) this.#perCaller.delete(caller);
    else this.#perCaller.set(caller, usage);
  }

  /** `nowMs`: set a timer for the next expiry. */
  #refuse(what: string, nowMs?: number): Error {
    this.#counts.refused += 1;
    this.#events.refused(what);
    const [oldest] = this.#sessions.values();
    const isIdle = nowMs !== undefined && oldest !== undefined;
    return sessionLimit(what, isIdle ? oldest.usedMs + this.#options.idleMs - nowMs : undefined);
  }

  #touch(key: string, session: Session, nowMs: number): void {
    session.usedMs = nowMs;
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
  }

  #remove(session: Session): void {
    const { caller, id } = session;
    const key = keyOf(caller, id);
    if (this.#sessions.get(key) !== session) return;
    this.#sessions.delete(key);
    this.#count(session, -1, -session.bytes);
  }
}

/** Names of callers do not contain a zero character. */
function keyOf(caller: string, id: string): string {
  return `${caller}\0${id}`;
}
