// Something that happened.

export type Severity = 'INFO' | 'WARNING' | 'ERROR';

export interface Event {
  /** From 1, by one for each event of this run, whatever its topic. */
  readonly sequence: number;
  /** When it happened, or happened last: milliseconds since 1970. */
  readonly timeMs: number;
  /** How often it has happened, and since when: equal causes are one event. */
  readonly count: number;
  readonly firstTimeMs: number;
  readonly topic: string;
  readonly severity: Severity;
  /** For people. */
  readonly text: string;
  readonly data: Readonly<Record<string, string>>;
  readonly payload: Uint8Array;
  /** 32 hexadecimal digits; empty: it came of no traced request. */
  readonly traceId: string;
}

/** What is left out is INFO and empty. */
export type NewEvent = Pick<Event, 'topic' | 'text'> &
  Partial<Pick<Event, 'severity' | 'data' | 'payload' | 'traceId' | 'count' | 'firstTimeMs'>> & {
    /** Sequence of an event that this one takes the place of. */
    readonly replaces?: number;
  };
