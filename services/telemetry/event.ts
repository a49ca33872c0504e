// An event.

export type Severity = 'INFO' | 'WARNING' | 'ERROR';

export interface Event {
  /** Starts at 1, and increases by one for each event of this run, for all topics. */
  readonly sequence: number;
  /** When it (last) happened: milliseconds since 1970. */
  readonly timeMs: number;
  /** Number of occurrences, and the first time: equal causes are one event. */
  readonly count: number;
  readonly firstTimeMs: number;
  readonly topic: string;
  readonly severity: Severity;
  /** For people. */
  readonly text: string;
  readonly data: Readonly<Record<string, string>>;
  readonly payload: Uint8Array;
  /** 32 hexadecimal digits; empty: not from a traced request. */
  readonly traceId: string;
}

/** Defaults: INFO and empty. */
export type NewEvent = Pick<Event, 'topic' | 'text'> &
  Partial<Pick<Event, 'severity' | 'data' | 'payload' | 'traceId' | 'count' | 'firstTimeMs'>> & {
    /** Sequence of the event that this one replaces. */
    readonly replaces?: number;
  };
