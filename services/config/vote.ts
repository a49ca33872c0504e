// The vote policy: in the settings for all models, in a manifest for one model.
import { z } from 'zod';

const fields = {
  participants: z.int().min(2).max(15).describe('Engines asked.'),
  agreement: z.enum(['MAJORITY', 'UNANIMOUS']).describe('How many of them must agree, even if fewer could be asked.'),
  mode: z
    .enum(['PARALLEL', 'STAGED'])
    .describe(
      'PARALLEL: ask all at once. STAGED: ask as many as must agree, and one more only if they differ or are absent.',
    ),
  compare: z
    .enum(['EXACT', 'TOLERANCE', 'LABEL'])
    .describe(
      'EXACT: answers agree to the bit. TOLERANCE: no score differs by more than `tolerance`. LABEL: the labels are equal.',
    ),
  tolerance: z.number().min(0).max(1).describe('Largest difference of any score under TOLERANCE, 0 to 1.'),
  distinct_kinds: z
    .int()
    .min(1)
    .max(2)
    .describe('Kinds of engine (local, sidecar) among those that agree: copies of one binary share its bugs.'),
  on_dispute: z
    .enum(['FAIL', 'ACCEPT_PLURALITY'])
    .describe('If no answer has enough votes: fail, or return the largest group’s answer with grade PLURALITY.'),
  on_few: z
    .enum(['FAIL', 'ACCEPT_DEGRADED'])
    .describe('If too few engines could vote: fail, or return their answer with a lower grade.'),
};

/** For the settings: every field has a default. */
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
    .describe('Share of requests without a vote that a second engine checks in the background, 0 to 1.'),
});

/** For a manifest: the differences from the settings. They may be less strict, since the manifest knows its model. */
export const modelVoteSchema = z.strictObject(fields).partial();

export type VoteSettings = z.output<typeof voteSchema>;

export type ModelVote = z.output<typeof modelVoteSchema>;
