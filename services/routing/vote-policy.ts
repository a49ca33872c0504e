// Converts the vote policy of settings and manifests to the types of voting/.
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

/** `settings` with the model's changes. */
export function forModel(settings: VoteSettings, model: ModelVote | undefined): VotePolicy {
  return toPolicy({ ...settings, ...model });
}

function toCompare(kind: Compare['kind'], tolerance: number): Compare {
  return kind === 'TOLERANCE' ? { kind, tolerance } : { kind };
}
