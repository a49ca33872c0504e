// Execute: the engines of the plan are asked, one after the other, hedged, or for their votes; what they come to is the answer.
import type { PooledEngine } from '../../engines/pooled-engine.ts';
import { HEDGING } from '../../strategies/registry.ts';
import { type Answer, toAnswer } from '../answer.ts';
import { failover } from '../executors/failover.ts';
import { hedge } from '../executors/hedge.ts';
import { vote } from '../executors/vote.ts';
import type { Outcome } from '../executor.ts';
import type { RoutedRequest } from '../routed-request.ts';
import type { Stage } from '../stage.ts';

export const execute: Stage = (request) => (request.policy === undefined ? alone(request) : voted(request));

async function voted(request: RoutedRequest): Promise<Answer> {
  const outcome = await vote(request);
  request.endState = outcome.inference.state;
  return toAnswer(outcome, request.readout, request.strategy);
}

/** One engine's answer. What engines said is remembered for a hedge, and audited in the background. */
async function alone(request: RoutedRequest): Promise<Answer> {
  const executor = HEDGING.has(request.strategy) ? hedge : failover;
  const startedMs = performance.now();
  try {
    return answerOf(request, await executor(request), startedMs);
  } finally {
    audit(request);
  }
}

/** Of a request without a vote. */
export function answerOf(request: RoutedRequest, outcome: Outcome<PooledEngine>, startedMs: number): Answer {
  const { options, found, readout, strategy } = request;
  options.latencyQuantile.record(found.key, performance.now() - startedMs);
  request.endState = outcome.inference.state;
  return toAnswer(unlessDistrusted(outcome), readout, strategy);
}

/** To be called when a request without a vote has ended, however it did. */
export function audit(request: RoutedRequest): void {
  const { options, claims, candidates } = request;
  options.audit.maybeAudit(claims, candidates, request, () => request.forgetAnswer());
}

/** The engine may have been put out while it computed: then the cache must not keep what it says. */
function unlessDistrusted(outcome: Outcome<PooledEngine>): Outcome<PooledEngine> {
  return outcome.engine.quarantine === '' ? outcome : { ...outcome, isFirm: false };
}
