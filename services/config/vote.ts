// The vote's policy, as the settings give it for all models and a manifest for its own.
import { z } from 'zod';

const fields = {
  participants: z.int().min(2).max(15).describe('Engines asked.'),
  agreement: z
    .enum(['MAJORITY', 'UNANIMOUS'])
    .describe('How many of them must agree, also where fewer could be asked.'),
  mode: z
    .enum(['PARALLEL', 'STAGED'])
    .describe('Ask all at once; or as many as must agree, and one more only when they differ or are absent.'),
  compare: z
    .enum(['EXACT', 'TOLERANCE', 'LABEL'])
    .describe('Answers agree to the bit; or where no score differs by more than `tolerance`; or in their label.'),
  tolerance: z.number().min(0).max(1).describe('Largest difference of any score under TOLERANCE, 0 to 1.'),
  distinct_kinds: z
    .int()
    .min(1)
    .max(2)
    .describe('Kinds of engine (local, sidecar) among those that agree: copies of one binary share its bugs.'),
  on_dispute: z
    .enum(['FAIL', 'ACCEPT_PLURALITY'])
    .describe('Where no answer has enough votes: fail, or give the largest group’s answer, graded PLURALITY.'),
  on_few: z
    .enum(['FAIL', 'ACCEPT_DEGRADED'])
    .describe('Where too few engines could vote: fail, or give what those say, with the grade that tells.'),
};

/** In the settings: every field has a default. */
export const voteSchema = z.strictObject({
  participants: fields.participants.default(3),
  agreement: fields.agreement.default('MAJORITY'),
  mode: fields.mode.default('PARALLEL'),
  compare: fields.compare.default('EXACT'),
  tolerance: fields.tolerance.default(0),
  distinct_kinds: fields.distinct_kinds.default(1),
  on_dispute: fields.on_dispute.default('FAIL'),
  on_few: fields.on_few.default('FAIL'),
  audit_rate: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Share of requests without a vote that are checked on a second engine in the background, 0 to 1.'),
});

/** In a manifest: what differs from the settings. It may loosen them, since it knows its model. */
export const modelVoteSchema = z.strictObject(fields).partial();

export type VoteSettings = z.output<typeof voteSchema>;

export type ModelVote = z.output<typeof modelVoteSchema>;
