// Checks the limits after each step of a schedule, and that nothing is left at its end.
import { getEventListeners } from 'node:events';
import type { AnswerCache } from '../../services/cache/answer-cache.ts';
import type { Admission } from '../../services/routing/admission.ts';
import type { Answer } from '../../services/routing/answer.ts';
import type { Router } from '../../services/routing/router.ts';
import type { SessionStore } from '../../services/sessions/session-store.ts';
import type { SentRequest } from './attempts.ts';
import { Broken } from './invariants.ts';
import type { Journal } from './journal.ts';
import type { SchedulePlan } from './plan.ts';
import type { SimEngine } from './sim-engine.ts';
import { clock } from './virtual-clock.ts';

export interface Bounded {
  readonly plan: SchedulePlan;
  readonly journal: Journal;
  readonly router: Router;
  readonly admission: Admission;
  readonly sessions: SessionStore;
  readonly cache: AnswerCache<Answer> | undefined;
}

/** Throws Broken. */
export function checkBounds({ plan, journal, router, admission, sessions }: Bounded): void {
  const { maxInFlight, maxQueue } = plan;
  const { inFlight } = router;
  const { waiting } = admission;
  if (waiting > 0) journal.count('waitingSteps');
  if (inFlight > maxInFlight) throw new Broken('bounds', `${inFlight} in flight, ${maxInFlight} may be`);
  const { open } = sessions.stats;
  if (open > plan.sessions.max) throw new Broken('bounds', `${open} sessions are open`);
  if (waiting > maxQueue) throw new Broken('bounds', `${waiting} waiting, ${maxQueue} may`);
}

/** Throws Broken. */
export function checkNothingLeft(
  { router, cache, admission, sessions }: Bounded,
  engines: readonly SimEngine[],
  requests: readonly SentRequest[],
): void {
  const demand = (what: string, count: number | undefined): void => {
    if (count !== undefined && count !== 0) throw new Broken('leaks', `${what}: ${count}`);
  };
  demand('requests in flight', router.inFlight);
  demand('shared computations of the cache', cache?.stats.flights);
  demand('waiting for an engine', admission.waiting);
  demand('waiting in sessions', sessions.stats.waiting);
  for (const { id, inFlight } of engines) demand(`in flight on "${id}"`, inFlight);
  for (const { number, controller } of requests) {
    demand(`abort listeners of request ${number}`, getEventListeners(controller.signal, 'abort').length);
  }
  demand('timers', clock.pending);
}
