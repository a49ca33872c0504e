// Something that happened.

export type Severity = 'INFO' | 'WARNING' | 'ERROR';

export interface Event {
  /** From 1, by one for each event of this run, whatever its topic. */
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
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
  Partial<Pick<Event, 'severity' | 'data' | 'payload' | 'traceId'>>;
