// Execute: asks the engines of the plan by failover, hedging or a vote, and returns the result as the answer.
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

/** One engine's answer. Its latency is stored for hedges, and answers are audited in the background. */
function alone(request: RoutedRequest): Promise<Answer> {
  const executor = HEDGING.has(request.strategy) ? hedge : failover;
  const startedMs = performance.now();
  return executor(request).then(
    (outcome) => {
      try {
        return answerOf(request, outcome, startedMs);
      } finally {
        audit(request);
      }
    },
    (error: unknown) => {
      audit(request);
      throw error;
    },
  );
}

/** For a request without a vote. */
export function answerOf(request: RoutedRequest, outcome: Outcome<PooledEngine>, startedMs: number): Answer {
  const { options, found, readout, strategy } = request;
  options.latencyQuantile.record(found.key, performance.now() - startedMs);
  request.endState = outcome.inference.state;
  return toAnswer(unlessDistrusted(outcome), readout, strategy);
}

/** Call at the end of a request without a vote, in any case. */
export function audit(request: RoutedRequest): void {
  const { options, claims, candidates } = request;
  options.audit.maybeAudit(claims, candidates, request, () => request.forgetAnswer());
}

/** The engine may have been quarantined while it computed: then its answer must not be cached. */
function unlessDistrusted(outcome: Outcome<PooledEngine>): Outcome<PooledEngine> {
  return outcome.engine.quarantine === '' ? outcome : { ...outcome, isFirm: false };
}
