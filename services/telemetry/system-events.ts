// Events of engines and votes: a line of the log for the operator, and an event with the same text for subscribers.
//
// Repeated events, such as of an engine that disconnects often, are one event with a count (repeats.ts).
import type { EngineState } from '../core/engine-state.ts';
import type { Event, NewEvent, Severity } from './event.ts';
import type { EventLog } from './event-log.ts';
import type { SystemTopic } from './event-topics.ts';
import type { Log } from './log.ts';
import { type Repeated, Repeats } from './repeats.ts';

/** The reported part of an engine of the pool. */
export interface EngineStatus {
  readonly id: string;
  readonly state: EngineState;
  readonly unavailableReason: string;
  /** The reason why its answers are not trusted; empty: they are trusted. */
  readonly quarantine: string;
  readonly build: string;
}

/** An engine of the pool, and the models of the repository that it cannot serve. */
interface CheckedEngine {
  readonly id: string;
  readonly modelProblems: readonly {
    /** "name/version". */
    readonly model: string;
    readonly why: string;
  }[];
}

type Data = Readonly<Record<string, string | number | undefined>>;

/** Events that are never equal to an earlier one. */
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
  /** The last reported state of each engine, by id. */
  readonly #states = new Map<string, string>();
  /** Engines that were reported to be in quarantine. */
  readonly #quarantined = new Set<string>();
  /** Engines that were reported to be the same process as another one, by id; and the other one. */
  readonly #duplicates = new Map<string, string>();
  /** Reported models that an engine cannot serve, by its id, then by model. */
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

  /** Reports the counted events that have not been reported yet. */
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

  /** Reports that it came up, went down, drains, is in quarantine, or is back from one of these. */
  engineChanged({ id, state, unavailableReason, quarantine, build }: EngineStatus): void {
    const wasOut = this.#quarantined.has(id);
    if (quarantine === '') this.#quarantined.delete(id);
    else this.#quarantined.add(id);
    if (wasOut && quarantine === '') this.tell('quarantine', 'INFO', 'engine trusted again', { engine: id });
    if (this.#states.get(id) === `${state} ${unavailableReason}`) return;
    this.#states.set(id, `${state} ${unavailableReason}`);
    if (state === 'DUPLICATE') {
      // Reported once, and not again after each reconnect.
      if (this.#duplicates.get(id) === unavailableReason) return;
      this.#duplicates.set(id, unavailableReason);
    } else if (state !== 'DOWN') this.#duplicates.delete(id);
    if (state === 'QUARANTINED')
      this.tell('quarantine', 'WARNING', 'engine quarantined', { engine: id, why: quarantine });
    else if (state === 'READY') this.tell('engine', 'INFO', 'engine ready', { engine: id, build });
    else this.tell('engine', 'WARNING', `engine ${state.toLowerCase()}`, { engine: id, why: unavailableReason });
  }

  /** The models that it cannot serve have changed. Reports only the changes. */
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
      this.tell('model', 'INFO', 'engine no longer has a problem with a model', { engine: id, model });
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

  /** All breakers of a model are ignored from now on, or apply again. */
  panicChanged({ isPanicking, ...what }: PanicChange): void {
    if (isPanicking) this.tell('breaker', 'WARNING', 'too few breakers are closed; all are ignored', what);
    else this.tell('breaker', 'INFO', 'breakers apply again', what);
  }
}

interface PanicChange {
  /** "name/version". */
  readonly model: string;
  readonly isPanicking: boolean;
  /** The number of connected engines with the model, and how many of them have a closed breaker. */
  readonly connected: number;
  readonly closed: number;
}
