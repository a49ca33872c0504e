// Checks sessions: messages are applied in order, each answered one exactly once and no other one, and a session ends
// when it should and not before.
import { RouterError } from '../../services/core/errors.ts';
import type { ReasonAnswer } from '../../services/routing/router.ts';
import type { Ending, SessionRequest } from '../../services/sessions/options.ts';
import type { SessionStore } from '../../services/sessions/session-store.ts';
import { needed } from '../../services/voting/policy.ts';
import type { SentRequest } from './attempts.ts';
import { Broken } from './invariants.ts';
import type { Journal } from './journal.ts';
import { coalition } from './liars.ts';
import type { SchedulePlan } from './plan.ts';
import { stepsOf } from './session-truth.ts';
import { truthFor } from './truth-for.ts';

const STEPS = 16;
const NOTHING = new Uint8Array(0);

/** The client's view of a session. */
interface Ledger {
  isOpen: boolean;
  step: number;
  /** The state after the last answered message; undefined: a lying engine computed it. */
  state: Uint8Array | undefined;
  /** The last state that the client got. */
  kept: Uint8Array;
  /** Number of the last answered message. */
  last: number;
  engineId: string;
  running: number;
  /** Time of the last request or answer. */
  lastMs: number;
  endings: number;
  lastEnding: Ending | undefined;
}

/** The session when one of its messages was sent. */
interface Seen {
  readonly isOpen: boolean;
  readonly endings: number;
  /** It has been idle for too long. */
  readonly isOver: boolean;
}

export class SessionChecks {
  readonly #plan: SchedulePlan;
  readonly #journal: Journal;
  readonly #store: () => SessionStore;
  readonly #ledgers = new Map<string, Ledger>();
  readonly #seen = new WeakMap<SentRequest, Seen>();

  constructor(plan: SchedulePlan, journal: Journal, store: () => SessionStore) {
    this.#plan = plan;
    this.#journal = journal;
    this.#store = store;
  }

  /** The message that the client of a session sends now. Call `sent` after it. */
  request(sent: SentRequest): SessionRequest {
    const { session, expects, keeps = false, closes = false } = sent.plan;
    const id = idOf(session!);
    const ledger = this.#ledgerOf(id);
    const { isOpen, endings, running, lastMs, step, kept } = ledger;
    const isIdle = running === 0;
    const isOver = isIdle && performance.now() - lastMs >= this.#plan.sessions.idleMs;
    this.#seen.set(sent, { isOpen, endings, isOver });
    sent.sentState = !isOpen && isIdle && keeps ? kept : NOTHING;
    const expected = sent.sentState.length > 0 ? stepsOf(sent.sentState) : step;
    sent.expectedStep = expects && isIdle ? expected : undefined;
    ledger.running += 1;
    const { sentState: state, expectedStep } = sent;
    return { caller: '', id, state, returnState: keeps, close: closes, expectedStep };
  }

  /** The router has received it: an expired session has ended. */
  sent(request: SentRequest): void {
    const ledger = this.#ledgerOf(idOf(request.plan.session!));
    const { isOpen, endings } = ledger;
    this.#seen.set(request, { ...this.#seen.get(request)!, isOpen, endings });
    ledger.lastMs = performance.now();
  }

  /** Call this when an engine is asked. Throws Broken. */
  called(sent: SentRequest, state: Uint8Array): void {
    sent.before ??= state;
    if (Buffer.compare(sent.before, state) !== 0) throw broken('order', sent, 'was tried from two states');
  }

  /** Throws Broken. */
  answered(sent: SentRequest, reply: ReasonAnswer): void {
    const id = idOf(sent.plan.session!);
    const ledger = this.#ledgerOf(id);
    const { answer, session } = reply;
    const { before = NOTHING, sentState = NOTHING } = sent;
    const { endings, isOver } = this.#seen.get(sent)!;
    if (session === undefined) throw broken('order', sent, 'was answered without its session');
    if (session.step !== stepsOf(before) + STEPS) throw broken('once', sent, `ended at step ${session.step}`);
    const truth = truthFor(this.#plan, sent);
    const isRight = !(truth instanceof RouterError) && truth.stateDigest === answer.inference.stateDigest;
    const state = isRight ? truth.state : undefined;
    this.#checkVote(sent, isRight, reply);
    if (session.state !== undefined && state !== undefined && Buffer.compare(session.state, state) !== 0) {
      throw broken('once', sent, 'gave another state than that after it');
    }
    // A session that it closed itself has ended in time.
    const hasClosed = sent.plan.closes === true && ledger.endings > endings && ledger.lastEnding === 'CLOSED';
    const isOfThisOne = ledger.endings - endings === Number(hasClosed);
    if (isOfThisOne) {
      if (sent.number < ledger.last) throw broken('order', sent, `was answered after message ${ledger.last}`);
      if (session.opened) this.#checkOpened(sent, ledger, before, sentState);
      else this.#checkContinued(sent, ledger, before, isOver);
      if (!session.opened && ledger.engineId !== answer.engine.id) this.#journal.count('moved');
      ledger.last = sent.number;
      ledger.isOpen = this.#store().find('', id) !== undefined;
      ledger.step = ledger.isOpen ? session.step : 0;
      ledger.state = state;
      ledger.engineId = answer.engine.id;
      ledger.lastMs = performance.now();
      this.#journal.count(session.opened ? 'opened' : 'continued');
    }
    if (session.state !== undefined) ledger.kept = session.state;
    ledger.running -= 1;
  }

  /** Throws Broken. */
  failed(sent: SentRequest, { kind }: RouterError): void {
    const ledger = this.#ledgerOf(idOf(sent.plan.session!));
    const { isOpen, endings, isOver } = this.#seen.get(sent)!;
    ledger.running -= 1;
    if (ledger.endings !== endings || isOver) return;
    if (kind === 'SESSION_UNKNOWN' && isOpen) throw broken('sessions', sent, 'found no session, although it is open');
    if (kind === 'SESSION_STEP' && isOpen && sent.expectedStep === ledger.step) {
      throw broken('sessions', sent, `expects step ${ledger.step}, and the session is at this step`);
    }
  }

  /** Call this when the router has ended one. Throws Broken. */
  ended(id: string, why: Ending): void {
    const ledger = this.#ledgerOf(id);
    this.#journal.count(`ended-${why}`);
    const idleMs = performance.now() - ledger.lastMs;
    if (why === 'EXPIRED' && idleMs < this.#plan.sessions.idleMs) {
      throw new Broken('sessions', `"${id}" expired after ${idleMs.toFixed(1)} ms`);
    }
    ledger.endings += 1;
    ledger.lastEnding = why;
    ledger.isOpen = false;
    ledger.step = 0;
  }

  #checkOpened(sent: SentRequest, ledger: Ledger, before: Uint8Array, sentState: Uint8Array): void {
    if (ledger.isOpen) throw broken('once', sent, 'began a new session, although the session was open');
    if (Buffer.compare(before, sentState) !== 0) throw broken('once', sent, 'began with another state than it sent');
  }

  #checkContinued(sent: SentRequest, ledger: Ledger, before: Uint8Array, isOver: boolean): void {
    if (isOver) throw broken('sessions', sent, 'continued an expired session');
    const { state } = ledger;
    if (state !== undefined && Buffer.compare(state, before) !== 0) {
      throw broken('once', sent, `began at step ${stepsOf(before)}, not where message ${ledger.last} ended`);
    }
  }

  #checkVote(sent: SentRequest, isRight: boolean, { answer }: ReasonAnswer): void {
    const { policy } = sent;
    if (policy === undefined || policy.compare.kind !== 'EXACT' || !answer.isFirm || isRight) return;
    if (coalition(this.#plan) < needed(policy)) throw broken('right', sent, 'won a vote with a wrong state');
  }

  #ledgerOf(id: string): Ledger {
    let ledger = this.#ledgers.get(id);
    if (ledger === undefined) {
      const none = { isOpen: false, step: 0, state: undefined, kept: NOTHING, last: -1, engineId: '', running: 0 };
      this.#ledgers.set(id, (ledger = { ...none, lastMs: -Infinity, endings: 0, lastEnding: undefined }));
    }
    return ledger;
  }
}

function idOf(session: number): string {
  return `s${session}`;
}

function broken(invariant: Broken['invariant'], { number, plan }: SentRequest, what: string): Broken {
  return new Broken(invariant, `message ${number} of session ${plan.session} ${what}`);
}
