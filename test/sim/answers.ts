// Checks whether a request may get an answer.
import { RouterError } from '../../services/core/errors.ts';
import type { ReasonAnswer } from '../../services/routing/router.ts';
import { needed } from '../../services/voting/policy.ts';
import type { SentRequest } from './attempts.ts';
import { Broken } from './invariants.ts';
import { coalition, liars } from './liars.ts';
import type { SchedulePlan } from './plan.ts';
import { truthFor } from './truth-for.ts';

/** Throws Broken. */
export function checkAnswer(plan: SchedulePlan, sent: SentRequest, { answer, cache, grade }: ReasonAnswer): void {
  const truth = truthFor(plan, sent);
  const isRight =
    !(truth instanceof RouterError) &&
    answer.inference.stateDigest === truth.stateDigest &&
    answer.inference.spikeCounts.every((count, k) => count === truth.spikeCounts[k]);
  const { policy } = sent;
  const saw = (): string => `request ${sent.number} (${sent.plan.strategy}, ${cache}, ${grade})`;
  if (!isRight && liars(plan) === 0) throw new Broken('right', `${saw()} got a wrong answer although no engine lies`);
  if (policy === undefined) return;
  const ids = answer.ballots.map(({ engineId }) => engineId);
  if (new Set(ids).size !== ids.length) throw new Broken('ballots', `${saw()}: ballots of ${ids.join(', ')}`);
  const agreeing = answer.ballots.filter(({ outcome }) => outcome === 'AGREED').length;
  const isLenient = policy.onFew !== 'FAIL' || policy.onDispute !== 'FAIL';
  const isKept = cache === 'HIT' || cache === 'STALE';
  if ((isKept || !isLenient) && (agreeing < needed(policy) || !answer.isFirm)) {
    const invariant = cache === 'MISS' || cache === 'BYPASSED' ? 'right' : 'cached';
    throw new Broken(invariant, `${saw()}: ${agreeing} agreed, ${needed(policy)} must`);
  }
  if (answer.isFirm && coalition(plan) < needed(policy)) {
    const hasLabel = !(truth instanceof RouterError) && answer.labelIndex === labelOf(truth.spikeCounts);
    const isTrue = policy.compare.kind === 'EXACT' ? isRight : hasLabel;
    if (!isTrue) throw new Broken(isKept ? 'cached' : 'right', `${saw()} got a wrong answer`);
  }
}

function labelOf(spikeCounts: readonly number[]): number {
  return spikeCounts.indexOf(Math.max(...spikeCounts));
}
