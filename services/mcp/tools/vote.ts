import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { hex64 } from '../../core/hex.ts';
import { type ReasonResponse, ReasoningServiceClient, VotePolicy } from '../../generated/tandem/v1/reasoning.ts';
import { CacheMode, Strategy, ballotOutcomeToJSON } from '../../generated/tandem/v1/types.ts';
import type { RouterConnection } from '../router-connection.ts';
import { withoutPrefix } from '../../core/enum-name.ts';
import { conclusionFields, toConclusion } from './conclusion.ts';
import { inputFields, toRequest } from './input.ts';
import { READ_ONLY, structured } from './tool.ts';

const ballotSchema = z.object({
  engine: z.string(),
  outcome: z.string().describe('AGREED, DISSENTED or ABSENT.'),
  state_digest: z.string().describe('Fingerprint of its run, 16 hexadecimal digits.'),
  why: z.string().describe('Why it is absent. Empty: it answered.'),
});

export function addVote(server: McpServer, router: RouterConnection): void {
  server.registerTool(
    'vote',
    {
      title: 'Classify one input on several engines',
      description:
        'Ask several engines for the same input and return the answer that they agree on, with the ballot of each. A wrong engine shows as DISSENTED.',
      inputSchema: z.strictObject({
        ...inputFields,
        participants: z.int().min(0).max(15).default(0).describe('Engines to ask, 2 to 15. 0: as the server is set.'),
      }),
      outputSchema: z.object({ ...conclusionFields, ballots: z.array(ballotSchema) }),
      annotations: READ_ONLY,
    },
    async ({ participants, ...input }, { mcpReq }) => {
      const request = {
        ...toRequest(input),
        ...{ strategy: Strategy.STRATEGY_REDUNDANT, cache: CacheMode.CACHE_MODE_BYPASS },
        vote: participants === 0 ? undefined : VotePolicy.fromPartial({ participants }),
      };
      const response = await router.call(ReasoningServiceClient, (client) => client.reason, request, mcpReq.signal);
      return structured({ ...toConclusion(response), ballots: ballotsOf(response) });
    },
  );
}

function ballotsOf({ vote }: ReasonResponse): z.infer<typeof ballotSchema>[] {
  return (vote?.ballots ?? []).map(({ engineId, outcome, stateDigest, why }) => ({
    engine: engineId,
    outcome: withoutPrefix(ballotOutcomeToJSON(outcome), 'BALLOT_OUTCOME_'),
    state_digest: hex64(stateDigest),
    why,
  }));
}
