// The words of settings and manifests for a vote's policy, as voting/ knows them.
import type { ModelVote, VoteSettings } from '../config/vote.ts';
import type { Compare, VotePolicy } from '../voting/policy.ts';

export function toPolicy(settings: VoteSettings): VotePolicy {
  return {
    participants: settings.participants,
    agreement: { kind: settings.agreement },
    mode: settings.mode,
    compare: toCompare(settings.compare, settings.tolerance),
    distinctKinds: settings.distinct_kinds,
    onDispute: settings.on_dispute,
    onFew: settings.on_few,
  };
}

/** `settings` with what the model has otherwise. */
export function forModel(settings: VoteSettings, model: ModelVote | undefined): VotePolicy {
  return toPolicy({ ...settings, ...model });
}

function toCompare(kind: Compare['kind'], tolerance: number): Compare {
  return kind === 'TOLERANCE' ? { kind, tolerance } : { kind };
}
