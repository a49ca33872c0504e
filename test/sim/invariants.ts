// What must hold in every schedule.
export const INVARIANTS = {
  right: 'a REDUNDANT request never gets a wrong answer while at most f of n = 2f + 1 engines lie (alike or not)',
  ballots: 'no engine has two ballots in a vote',
  identity: 'a process never has two ballots in a vote, even with several ids',
  refused: 'no caller gets a refusal that most honest engines do not share, if one of them can be asked',
  end: 'every request ends by its deadline, or when its caller cancels, within 2 ms',
  budget: 'attempts beyond the first (and beyond the participants) never exceed the retry budget',
  leaks: 'at the end: no open or waiting request, no timer, no abort listener on a caller’s signal',
  cached: 'a cached answer of a REDUNDANT request was voted, by as many as its policy needs',
  quarantine: 'no honest engine is ever quarantined, and a liar is after `dissents` dissents, while liars are few',
  breaker: 'no request to an engine whose breaker is open unless panicking; half-open, one at a time',
  bounds: 'in flight never exceeds max_in_flight, nor the queue max_queue',
  back: 'an engine that works again leaves quarantine by itself, and never has two trials at once',
  grey: 'no request with enough time fails while two good engines remain, whatever a third one or their name does',
  queue: 'no request waits for an engine while an allowed one has room',
  out: 'an engine with as many time-outs in a row as its breaker allows is soon excluded',
  order: 'messages of a session are computed in the order in which they came, each from one state',
  once: 'a session continues from its last answered message: none is lost, none is applied twice',
  sessions: 'a session ends when it is idle for too long, closed or distrusted, and not before',
  dns: 'a name never removes a working engine, unless another one is ready',
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
