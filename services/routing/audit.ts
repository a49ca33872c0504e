// Audit: a share of ordinary answers is computed again on a second engine, in the background, and compared. Where the two
// differ the others are asked, too, so that the majority can say who was wrong.
import type { InferenceInput } from '../core/inference.ts';
import type { Observer } from '../core/observer.ts';
import type { VotePolicy } from '../voting/policy.ts';
import { type Verdict, verdict } from '../voting/verdict.ts';
import type { Answered } from './attempt.ts';
import type { Askable, Asking } from './ask.ts';
import { type Voter, hear, isHollow, newVoter, toCast } from './ballot.ts';
import type { Dispute } from './dispute.ts';

export interface AuditOptions {
  /** Share of answers to check, 0 to 1. */
  readonly rate: number;
  readonly observer: Observer;
  readonly onDispute: (dispute: Dispute) => void;
}

/** Audits under way at once: beyond that they are left out, for they must not slow the requests. */
const MAX_RUNNING = 4;
const TIMEOUT_MS = 10_000;

/** Of an audit in which nobody has contradicted anybody: two that agree are enough. */
const POLICY: VotePolicy = {
  participants: 3,
  agreement: { kind: 'MAJORITY' },
  mode: 'STAGED',
  compare: { kind: 'EXACT' },
  distinctKinds: 1,
  onDispute: 'FAIL',
  onFew: 'FAIL',
};

/** An audit goes on when its request has ended: its deadline and its leaving do not matter, its trace does. */
type Audited = Pick<Asking, 'input' | 'strategy'> & { readonly context?: Pick<Asking['context'], 'span'> };

export class Audit {
  #options: AuditOptions;
  /**
   * Share of an audit that is due of each engine: a rate of 0.05 is every twentieth answer of its own. Of all answers
   * together it would always be the same engine's where twenty is a multiple of how many take turns.
   */
  readonly #due = new WeakMap<Askable, number>();
  #running = 0;

  constructor(options: AuditOptions) {
    this.#options = options;
  }

  configure({ rate }: Pick<AuditOptions, 'rate'>): void {
    this.#options = { ...this.#options, rate };
  }

  /** `onWrong` is called if the answer turns out to have been wrong. */
  consider<E extends Askable>(answered: Answered<E>, engines: readonly E[], asked: Audited, onWrong: () => void): void {
    const due = (this.#due.get(answered.engine) ?? 0) + this.#options.rate;
    this.#due.set(answered.engine, due < 1 ? due : due - 1); // what cannot be done now is not made up for
    if (due < 1) return;
    if (this.#running >= MAX_RUNNING) return;
    void this.#run(answered, witnesses(answered.engine, engines), asked, onWrong);
  }

  async #run<E extends Askable>(
    { engine, inference }: Answered<E>,
    others: readonly E[],
    { input, strategy, context }: Audited,
    onWrong: () => void,
  ): Promise<void> {
    this.#running += 1;
    const audited = newVoter(engine);
    hear(audited, inference);
    const voters: Voter<E>[] = [audited];
    for (const other of others) {
      if (judge(voters, others.length + 1).kind === 'AGREED') break;
      if (!other.admits) continue; // since the list was made
      voters.push(await testify(other, input, this.#options.observer));
    }
    this.#running -= 1;
    if (voters.filter(({ answer }) => answer !== undefined).length < 2) return; // there was nobody to ask
    const result = judge(voters, others.length + 1);
    const wrong = result.kind === 'AGREED' ? voters.filter((_, place) => result.outcomes[place] === 'DISSENTED') : [];
    const isClean = result.kind === 'AGREED' && wrong.length === 0;
    this.#options.observer.voted(
      isClean ? 'AUDITED' : 'AUDIT_DISPUTED',
      wrong.map((voter) => voter.engine.id),
    );
    if (isClean) return;
    if (result.kind !== 'AGREED' || result.outcomes[0] === 'DISSENTED') onWrong();
    this.#options.onDispute({
      input,
      strategy,
      verdict: 'AUDIT_DISPUTED',
      ballots: voters.map((voter, place) => toCast(voter, result.outcomes[place] ?? 'ABSENT')),
      wrong: wrong.map((voter) => voter.engine.id),
      right: result.kind === 'AGREED' ? voters[result.winner]?.ballot.answer : undefined,
      span: context?.span,
    });
  }
}

/** Where two differ, it takes more than half of all engines to say who is wrong: a few that lie alike must not. */
function judge<E>(voters: readonly Voter<E>[], engines: number): Verdict {
  const ballots = voters.map(({ ballot }) => ballot);
  const quick = verdict(ballots, POLICY);
  if (quick.kind === 'AGREED' && quick.grade === 'UNANIMOUS') return quick;
  return verdict(ballots, { ...POLICY, participants: Math.max(POLICY.participants, engines) });
}

/** Another kind of engine first: copies of one binary share its bugs. Within a kind, by chance. */
function witnesses<E extends Askable>(engine: E, engines: readonly E[]): readonly E[] {
  const others = engines.filter((other) => other !== engine && other.admits);
  const [first] = others.splice(Math.floor(Math.random() * others.length), 1);
  const mixed = first === undefined ? [] : [first, ...others];
  return mixed.sort((a, b) => Number(a.kind === engine.kind) - Number(b.kind === engine.kind));
}

async function testify<E extends Askable>(engine: E, input: InferenceInput, observer: Observer): Promise<Voter<E>> {
  const voter = newVoter(engine);
  const context = { deadlineMs: voter.startedMs + TIMEOUT_MS, signal: new AbortController().signal };
  // Where it fails it is absent: its breaker has heard of it.
  const answer = await engine.infer({ ...input, digestOnly: true }, context).catch(() => undefined);
  hear(voter, answer === undefined || isHollow(answer) ? undefined : answer);
  if (answer !== undefined) observer.computed(input.model, input.version, answer);
  return voter;
}
