// What must hold in every schedule.
export const INVARIANTS = {
  right: 'a REDUNDANT request never gets a wrong answer while at most f of n = 2f + 1 engines lie (alike or not)',
  ballots: 'no engine has two ballots in a vote',
  identity: 'a process never has two ballots in a vote, whatever its ids',
  refused: 'no caller hears a refusal that most honest engines do not share, if one of them can be asked',
  end: 'every request ends by its deadline, or when its caller leaves, give or take 2 ms',
  budget: 'attempts beyond the first (and beyond the participants) never exceed the retry budget',
  leaks: 'at the end: nothing in flight, nobody waiting, no timer, no abort listener on a caller’s signal',
  cached: 'what the cache gives a REDUNDANT request was voted, by as many as its policy needs',
  quarantine: 'no honest engine is ever quarantined, and a liar is after `dissents` dissents, while liars are few',
  breaker: 'no request to an engine whose breaker is open unless panicking; half-open, one at a time',
  bounds: 'in flight never exceeds max_in_flight, nor the queue max_queue',
  back: 'an engine that is well again leaves quarantine by itself, and is never tried twice at once',
  grey: 'no patient request fails while two good engines remain, whatever a third one or their name does',
  queue: 'no request waits for an engine while one that may be asked has room',
  out: 'an engine that lets as many requests time out in a row as its breaker needs is out soon',
  order: 'messages of a session are computed in the order in which they came, each from one state',
  once: 'a session goes on from its last answered message: none is lost, none is applied twice',
  sessions: 'a session ends when it is idle for too long, closed or distrusted, and not before',
  dns: 'a name never takes an engine that answers, unless another one is ready',
  errors: 'nothing rejects with INTERNAL or anything but a RouterError, and nothing is thrown in the background',
} as const;

type Invariant = keyof typeof INVARIANTS;

export class Broken extends Error {
  readonly invariant: Invariant;
  constructor(invariant: Invariant, what: string) {
    super(what);
    this.invariant = invariant;
  }
}
