// A row of the table: the situation, the request, the outcome.

export const IDS = ['one', 'two', 'three'] as const;
export type Id = (typeof IDS)[number];

/** The behaviour of an engine; by default it works. `one` is asked first, then `two`, then `three`. */
export type Conduct =
  /** Answers INTERNAL. */
  | 'fails'
  /** Answers ENGINE_FULL. */
  | 'is full'
  /** Answers DRAINING. */
  | 'is stopping'
  /** Refuses the input as wrong. */
  | 'refuses the input'
  /** Accepts the request, keeps running, and never answers. */
  | 'never answers'
  /** Its process is stopped: connections stay open without an answer. */
  | 'stands still'
  /** Its process was killed some time ago. */
  | 'is gone'
  /** Its process is killed after it has received the request. */
  | 'dies'
  /** An operator drains it. */
  | 'drains'
  /** Failed so often that its breaker is open; it works again, but the router does not know yet. */
  | 'has an open breaker'
  /** The same, but its breaker allows one request. */
  | 'has a half-open breaker'
  /** The same, but it still fails. */
  | 'has a half-open breaker, and fails'
  /** Its breaker is half-open, and another request is its trial. */
  | 'is being tried'
  /** Returns a false digest. */
  | 'lies'
  /** Returns false spikes. */
  | 'lies otherwise'
  /** Answers late, after all others have voted. */
  | 'takes its time';

type StrategyWord = 'ROUND_ROBIN' | 'LOCAL_FIRST' | 'SIDECAR_FIRST' | 'FASTEST' | 'REDUNDANT' | 'AFFINITY';

export interface Ask {
  readonly strategy?: StrategyWord;
  readonly cache?: 'USE' | 'BYPASS' | 'REFRESH';
  /** Instead of a new input of the shipped model. */
  readonly encoding?: readonly number[];
  readonly model?: string;
  readonly deadlineMs?: number;
  /** The caller cancels after an engine has received the request. */
  readonly cancelled?: true;
}

/** The result for the caller and the operator. Rows list only the relevant fields. */
export interface Outcome {
  /** OK, or the gRPC status. */
  readonly code: string;
  readonly cache?: string;
  readonly grade?: string;
  readonly strategy?: string;
  /** The engine that gave the answer. */
  readonly engine?: string;
  /** Engines asked for this request. Example: "one ENGINE_LOST, two OK". */
  readonly attempts?: string;
  /** In the order of the names. Example: "one AGREED, two ABSENT ENGINE_LOST". */
  readonly ballots?: string;
  readonly reason?: string;
  readonly field?: string;
  /** The text of a NO_ENGINE about engines that were asked, and about the others. */
  readonly tried?: string;
  readonly others?: string | RegExp;
  readonly retryAfterMs?: number;
  /** Engines that received this request, with the number of times. Example: "one 1". */
  readonly calls?: string;
  /** Engines with failures after it, and their number. Example: "one 1". */
  readonly blamed?: string;
  /** Breakers that are not closed after it. Example: "one OPEN". */
  readonly breakers?: string;
  /** The engine that got the cancellation. */
  readonly cancelledIn?: Id;
}

export interface Row {
  readonly name: string;
  /** In addition to the usual settings. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly engines?: Partial<Readonly<Record<Id | 'local', Conduct>>>;
  /** What another caller did with the same input (or another one), while all engines worked. */
  readonly earlier?: 'was answered' | 'is under way' | 'another is under way';
  readonly ask?: Ask;
  readonly expected: Outcome;
}
