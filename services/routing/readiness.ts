// Decides whether the router can answer requests in its configuration, for /readyz and grpc.health.v1: enough usable
// engines hold the default model, of enough kinds for a vote that would fail otherwise.
import type { ModelProblem } from '../engines/model-problems.ts';
import { type VotePolicy, needed } from '../voting/policy.ts';

/** The part of an engine that readiness needs. */
export interface ReadinessEngine {
  readonly id: string;
  readonly kind: 'local' | 'sidecar';
  /** Why it takes no requests; empty if it does. */
  readonly unavailableReason: string;
  /** Models that it cannot serve. */
  readonly modelProblems: readonly ModelProblem[];
}

interface ReadinessView {
  readonly engines: readonly ReadinessEngine[];
  /** "name/version" of the default model. */
  readonly model: string;
  /** Usable engines that hold it. */
  readonly able: readonly ReadinessEngine[];
}

interface ReadinessDemand {
  readonly engines: number;
  /** Kinds of engine among them. */
  readonly kinds: number;
  /** The setting that demands it. */
  readonly why: string;
}

export interface Readiness {
  readonly isReady: boolean;
  /** One line: the engines that are not ready, what is missing, and what to do. */
  readonly why: string;
}

/**
 * The requirement for a default request: `minEngines` unless it is 0; else the number that must agree, if the vote
 * fails with too few; else one. `policy` undefined: no vote.
 */
export function demandOf(policy: VotePolicy | undefined, minEngines: number): ReadinessDemand {
  const fails = policy?.onFew === 'FAIL';
  const kinds = fails ? policy.distinctKinds : 1;
  if (minEngines > 0) return { engines: minEngines, kinds, why: 'setting ready.min_engines' };
  if (!fails) return { engines: 1, kinds, why: 'any request' };
  return { engines: needed(policy), kinds, why: 'the vote (setting vote.on_few)' };
}

export function readiness({ engines, model, able }: ReadinessView, demand: ReadinessDemand): Readiness {
  const counted = `${able.length} of ${engines.length} engines ready for ${model}`;
  const kinds = [...new Set(able.map(({ kind }) => kind))];
  const others = engines.filter((engine) => !able.includes(engine));
  const each = others
    .map((engine) => `${engine.id}: ${engine.unavailableReason || modelUnavailableReason(engine, model)}`)
    .join('; ');
  if (able.length >= demand.engines && kinds.length >= demand.kinds) {
    return { isReady: true, why: each === '' ? counted : `${counted}; not ready: ${each}` };
  }
  const wanted =
    able.length < demand.engines
      ? `${demand.why} needs ${demand.engines}`
      : `${demand.why} needs ${demand.kinds} kinds, and all are of kind ${kinds[0] ?? 'none'}`;
  const advice = `start or mend engines (see "npx tandem engines"), or change what is needed`;
  return { isReady: false, why: `${counted}, and ${wanted}${each === '' ? '' : `: ${each}`}; ${advice}` };
}

/** Why an engine takes no requests for `model`. */
function modelUnavailableReason({ modelProblems }: ReadinessEngine, model: string): string {
  const problem = modelProblems.find((each) => each.model === model);
  return problem === undefined ? `does not hold ${model}` : `${model}: ${problem.why}`;
}
