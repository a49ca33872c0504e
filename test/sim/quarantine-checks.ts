// Checks that exactly the lying engines are called wrong and quarantined, and soon.
import type { PooledEngine } from '../../services/engines/pooled-engine.ts';
import { RouterError } from '../../services/core/errors.ts';
import { refusalKey } from '../../services/core/refusal.ts';
import type { CastBallot, Dispute } from '../../services/routing/dispute.ts';
import { needed } from '../../services/voting/policy.ts';
import type { SentRequest } from './attempts.ts';
import { Broken } from './invariants.ts';
import type { Journal } from './journal.ts';
import { areFew } from './liars.ts';
import type { SchedulePlan } from './plan.ts';
import type { SimEngine } from './sim-engine.ts';
import type { Said } from './truth.ts';
import { truthFor } from './truth-for.ts';
import { clock } from './virtual-clock.ts';

export class QuarantineChecks {
  readonly #plan: SchedulePlan;
  readonly #journal: Journal;
  /** Removed ones too. */
  readonly #engines: readonly SimEngine[];
  readonly #dissents = new Map<string, number[]>();
  readonly #wasOut = new Set<string>();

  constructor(plan: SchedulePlan, journal: Journal, engines: readonly SimEngine[]) {
    this.#plan = plan;
    this.#journal = journal;
    this.#engines = engines;
  }

  /** Throws Broken. */
  checkDispute(sent: SentRequest, { ballots, verdict, wrong }: Dispute): void {
    const ids = ballots.map(({ engineId }) => engineId);
    if (new Set(ids).size !== ids.length) throw new Broken('ballots', `dispute of ${ids.join(', ')}`);
    const isAudit = verdict === 'AUDIT_DISPUTED';
    const policy = sent.policy;
    if (verdict === 'CONTRADICTED_ITSELF') return; // of one engine; the vote's own dispute names the others
    if (verdict === 'MALFORMED') {
      this.#checkMalformed(wrong);
      return;
    }
    if (!isAudit && (policy === undefined || policy.compare.kind !== 'EXACT')) return;
    const cast = ballots.filter(({ outcome }) => outcome !== 'ABSENT');
    const truth = truthFor(this.#plan, sent);
    const right = cast.filter((ballot) => isRight(ballot, truth));
    const processes = new Set(this.#engines.map(({ process }) => process)).size;
    const most = Math.floor(Math.max(3, processes, policy?.participants ?? 0) / 2) + 1;
    const enough = isAudit ? most : Math.max(most, needed(policy!, cast.length));
    const kinds = new Set(right.map(({ engineId }) => this.#engines.find(({ id }) => id === engineId)!.kind));
    if (right.length < enough || kinds.size < (isAudit ? 1 : policy!.distinctKinds)) return;
    // The true answer has enough votes, so exactly the engines with another answer are wrong.
    const expected = cast.filter((ballot) => !right.includes(ballot)).map(({ engineId }) => engineId);
    if (expected.join() !== wrong.join()) {
      throw new Broken('quarantine', `wrong is [${wrong.join()}] and should be [${expected.join()}]`);
    }
  }

  #checkMalformed(wrong: readonly string[]): void {
    const honest = wrong.find((id) => this.#engines.find((each) => each.id === id)!.plan.lie === undefined);
    if (honest !== undefined)
      throw new Broken('quarantine', `"${honest}" is honest, and its answer is called malformed`);
  }

  noteDissent({ id }: PooledEngine): void {
    const since = clock.nowMs - this.#plan.quarantine.windowMs;
    this.#dissents.set(id, [...(this.#dissents.get(id) ?? []).filter((atMs) => atMs > since), clock.nowMs]);
  }

  /** Call this after the quarantine has recorded it. Throws Broken. */
  checkDissents({ id, quarantine }: PooledEngine): void {
    const dissents = this.#dissents.get(id)?.length ?? 0;
    if (quarantine === '' && dissents >= this.#plan.quarantine.dissents) {
      throw new Broken('quarantine', `"${id}" is in use after ${dissents} dissents`);
    }
  }

  /** Call this when an engine enters or leaves quarantine. */
  check({ id, quarantine }: PooledEngine): void {
    if (quarantine === '') {
      this.#dissents.delete(id);
      if (!this.#wasOut.delete(id)) return;
      this.#journal.note('trusted', id);
      if (this.#engines.some((engine) => engine.id === id && engine.isLying)) this.#journal.count('trustedThoughLying');
      return;
    }
    if (this.#wasOut.has(id)) return;
    this.#wasOut.add(id);
    this.#journal.count('quarantined');
    this.#journal.note('quarantined', id);
    const isHonest = this.#engines.find((each) => each.id === id)!.plan.lie === undefined;
    if (isHonest && areFew(this.#plan)) {
      this.#journal.guard(() => {
        throw new Broken('quarantine', `"${id}" is honest and was quarantined: ${quarantine}`);
      });
    }
  }
}

function isRight({ stateDigest, readoutDigest, why }: CastBallot, truth: Said): boolean {
  if (truth instanceof RouterError) return stateDigest === undefined && why === refusalKey(truth);
  return stateDigest === truth.stateDigest && readoutDigest === truth.readoutDigest;
}
