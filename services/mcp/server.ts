// The tools of a router as an MCP server. It is stateless: a new one may serve every request.
import { McpServer } from '@modelcontextprotocol/server';
import type { RouterConnection } from './router-connection.ts';
import { addModels } from './tools/models.ts';
import { addQuery } from './tools/query.ts';
import { addReason } from './tools/reason.ts';
import { addReplay } from './tools/replay.ts';
import { addVote } from './tools/vote.ts';

interface ServerParts {
  readonly router: RouterConnection;
  /** Address for administrative calls. */
  readonly admin: RouterConnection;
  /** Version of this program. */
  readonly version: string;
}

const INSTRUCTIONS = `Tandem classifies inputs with spiking neural networks on several engines that agree to the bit.
Use "models" to see what there is and what each model takes, "reason" for one answer, "vote" for an answer that several
engines agree on, "replay" to see where engines differ, and "query" for passages from stored documents. All tools only read.`;

export function tandemMcpServer({ router, admin, version }: ServerParts): McpServer {
  const server = new McpServer({ name: 'tandem', version, title: 'Tandem' }, { instructions: INSTRUCTIONS });
  addModels(server, router);
  addReason(server, router);
  addVote(server, router);
  addReplay(server, admin);
  addQuery(server, router);
  return server;
}
