// What happens to engines and votes: for the operator a line of the log, and in the same words an event for subscribers.
//
// What can happen again and again, such as an engine that comes and goes, is one event with a count (repeats.ts).
import type { EngineState } from '../core/engine-state.ts';
import type { Event, NewEvent, Severity } from './event.ts';
import type { EventLog } from './event-log.ts';
import type { SystemTopic } from './event-topics.ts';
import type { Log } from './log.ts';
import { type Repeated, Repeats } from './repeats.ts';

/** An engine of the pool, as far as it is told about. */
export interface EngineStatus {
  readonly id: string;
  readonly state: EngineState;
  readonly unavailableReason: string;
  /** Why its answers are not trusted; empty: they are. */
  readonly quarantine: string;
  readonly build: string;
}

/** An engine of the pool, and what it cannot serve of the repository. */
interface CheckedEngine {
  readonly id: string;
  readonly modelProblems: readonly {
    /** "name/version". */
    readonly model: string;
    readonly why: string;
  }[];
}

type Data = Readonly<Record<string, string | number | undefined>>;

/** Each of these events says something that no other one does. */
const SINGLE: readonly SystemTopic[] = ['dispute', 'config'];

interface News {
  readonly event: NewEvent & Required<Pick<NewEvent, 'severity' | 'traceId'>>;
  /** For the log. */
  readonly logged: Data;
}

const LEVELS = { INFO: 'info', WARNING: 'warn', ERROR: 'error' } as const satisfies Record<Severity, string>;

export class SystemEvents {
  readonly #log: Log;
  readonly #events: EventLog;
  readonly #repeats = new Repeats<News, Event>((news, repeated, before) => this.#publish(news, repeated, before));
  /** What was told last of an engine, by id. */
  readonly #states = new Map<string, string>();
  /** Engines that were told to be in quarantine. */
  readonly #quarantined = new Set<string>();
  /** Engines that were told to be the same process as another one, by id; and which one. */
  readonly #duplicates = new Map<string, string>();
  /** What was told that an engine cannot serve, by its id, then by model. */
  readonly #problems = new Map<string, ReadonlyMap<string, string>>();

  constructor(log: Log, events: EventLog) {
    this.#log = log;
    this.#events = events;
  }

  tell(topic: SystemTopic, severity: Severity, text: string, data: Data, traceId = ''): void {
    const known = Object.entries(data).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]]));
    const words = Object.fromEntries(known) as Record<string, string>;
    const news = { event: { topic, severity, text, data: words, traceId }, logged: data };
    if (SINGLE.includes(topic)) this.#publish(news);
    else {
      const { engine = '', name = '', model = '', ...rest } = words;
      this.#repeats.add(`${topic} ${engine} ${name} ${model}`, `${text} ${Object.values(rest).join(' ')}`, news);
    }
  }

  /** Tells what has been counted and not been told yet. */
  stop(): void {
    this.#repeats.stop();
  }

  #publish(news: News, repeated?: Repeated, before?: Event): Event {
    const { event, logged } = news;
    const { severity, text, traceId } = event;
    const since = repeated !== undefined && new Date(repeated.firstTimeMs).toISOString();
    const count = repeated !== undefined && repeated.count > 1 && { count: repeated.count, since };
    this.#log[LEVELS[severity]]({ ...logged, ...count, ...(traceId !== '' && { trace_id: traceId }) }, text);
    return this.#events.publish({ ...event, ...repeated, ...(before && { replaces: before.sequence }) });
  }

  /** It came up, went down, drains, is kept out, or is back from one of these. */
  engineChanged({ id, state, unavailableReason, quarantine, build }: EngineStatus): void {
    const wasOut = this.#quarantined.has(id);
    if (quarantine === '') this.#quarantined.delete(id);
    else this.#quarantined.add(id);
    if (wasOut && quarantine === '') this.tell('quarantine', 'INFO', 'engine trusted again', { engine: id });
    if (this.#states.get(id) === `${state} ${unavailableReason}`) return;
    this.#states.set(id, `${state} ${unavailableReason}`);
    if (state === 'DUPLICATE') {
      // Said once, and not again after each reconnect.
      if (this.#duplicates.get(id) === unavailableReason) return;
      this.#duplicates.set(id, unavailableReason);
    } else if (state !== 'DOWN') this.#duplicates.delete(id);
    if (state === 'QUARANTINED')
      this.tell('quarantine', 'WARNING', 'engine quarantined', { engine: id, why: quarantine });
    else if (state === 'READY') this.tell('engine', 'INFO', 'engine ready', { engine: id, build });
    else this.tell('engine', 'WARNING', `engine ${state.toLowerCase()}`, { engine: id, why: unavailableReason });
  }

  /** It cannot serve other models of the repository than before. What was told is not told again. */
  modelProblemsChanged({ id, modelProblems }: CheckedEngine): void {
    const before = this.#problems.get(id) ?? new Map<string, string>();
    const now = new Map(modelProblems.map(({ model, why }) => [model, why]));
    this.#problems.set(id, now);
    for (const [model, why] of now) {
      if (before.get(model) === why) continue;
      this.tell('model', 'WARNING', 'engine does not serve a model', { engine: id, model, why });
    }
    for (const model of before.keys()) {
      if (now.has(model)) continue;
      this.tell('model', 'INFO', 'engine has no problem with a model any more', { engine: id, model });
    }
  }

  engineRemoved({ id }: EngineStatus): void {
    this.#states.delete(id);
    this.#quarantined.delete(id);
    this.#duplicates.delete(id);
    this.#problems.delete(id);
    this.tell('engine', 'INFO', 'engine removed', { engine: id });
  }

  breakerChanged({ id }: EngineStatus, { state, why }: { readonly state: string; readonly why: string }): void {
    this.tell('breaker', state === 'CLOSED' ? 'INFO' : 'WARNING', 'breaker changed', {
      engine: id,
      breaker: state,
      why,
    });
  }

  /** All breakers of a model are ignored from now on, or heeded again. */
  panicChanged({ isPanicking, ...what }: PanicChange): void {
    if (isPanicking) this.tell('breaker', 'WARNING', 'too few breakers are closed; all are ignored', what);
    else this.tell('breaker', 'INFO', 'breakers are heeded again', what);
  }
}

interface PanicChange {
  /** "name/version". */
  readonly model: string;
  readonly isPanicking: boolean;
  /** Engines that hold it and are connected, and those of them whose breaker is closed. */
  readonly connected: number;
  readonly closed: number;
}
