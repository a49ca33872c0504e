// A row of the table: how everything stands, what is asked, what comes of it.

export const IDS = ['one', 'two', 'three'] as const;
export type Id = (typeof IDS)[number];

/** How an engine behaves; where nothing is said, it is well. `one` is asked first, then `two`, then `three`. */
export type Conduct =
  /** Answers INTERNAL. */
  | 'fails'
  /** Answers ENGINE_FULL. */
  | 'is full'
  /** Answers DRAINING. */
  | 'is stopping'
  /** Finds fault with the input. */
  | 'refuses the input'
  /** Takes the request, lives on, and never answers. */
  | 'never answers'
  /** Its process is stopped: connections stay open, and nobody answers. */
  | 'stands still'
  /** Its process was killed some time ago. */
  | 'is gone'
  /** Its process is killed once it has taken the request. */
  | 'dies'
  /** An operator drains it. */
  | 'drains'
  /** Failed so often that its breaker is open; it is well again, but nobody knows yet. */
  | 'has an open breaker'
  /** As before, and its breaker lets one request try. */
  | 'has a half-open breaker'
  /** As before, but it is not well yet. */
  | 'has a half-open breaker, and fails'
  /** Its breaker is half-open, and another request is trying. */
  | 'is being tried'
  /** Lies about its digest. */
  | 'lies'
  /** Lies about its spikes. */
  | 'lies otherwise'
  /** Answers late, so that all others have voted by then. */
  | 'takes its time';

type StrategyWord = 'ROUND_ROBIN' | 'LOCAL_FIRST' | 'SIDECAR_FIRST' | 'FASTEST' | 'REDUNDANT' | 'AFFINITY';

export interface Ask {
  readonly strategy?: StrategyWord;
  readonly cache?: 'USE' | 'BYPASS' | 'REFRESH';
  /** Instead of an input of the shipped model that nobody has asked before. */
  readonly encoding?: readonly number[];
  readonly model?: string;
  readonly deadlineMs?: number;
  /** The caller gives up once an engine has taken the request. */
  readonly cancelled?: true;
}

/** What the caller and the operator see. Rows name what matters to them; the rest may be anything. */
export interface Outcome {
  /** OK, or the gRPC status. */
  readonly code: string;
  readonly cache?: string;
  readonly grade?: string;
  readonly strategy?: string;
  /** Who gave the answer. */
  readonly engine?: string;
  /** Engines asked for this request. Example: "one ENGINE_LOST, two OK". */
  readonly attempts?: string;
  /** In the order of the names. Example: "one AGREED, two ABSENT ENGINE_LOST". */
  readonly ballots?: string;
  readonly reason?: string;
  readonly field?: string;
  /** What a NO_ENGINE says of engines that were asked, and of the others. */
  readonly tried?: string;
  readonly others?: string | RegExp;
  readonly retryAfterMs?: number;
  /** Engines that took this request, with how often. Example: "one 1". */
  readonly calls?: string;
  /** Engines that have failures to their name after it. Example: "one 1". */
  readonly blamed?: string;
  /** Breakers that are not closed after it. Example: "one OPEN". */
  readonly breakers?: string;
  /** The engine heard that nobody waits any more. */
  readonly cancelledIn?: Id;
}

export interface Row {
  readonly name: string;
  /** Beside the usual ones. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly engines?: Partial<Readonly<Record<Id | 'local', Conduct>>>;
  /** What another caller did with the same input (or a different one), while all engines were well. */
  readonly earlier?: 'was answered' | 'is under way' | 'another is under way';
  readonly ask?: Ask;
  readonly expected: Outcome;
}
