// `npx tandem` as a tree of commands. One file a command.
import type { Command } from 'commander';
import { agentsCommand } from './agents.ts';
import { programOf } from './base-program.ts';
import { batchCommand } from './batch.ts';
import { completionCommand } from './completion.ts';
import { configCommand } from './config.ts';
import { corpusCommand } from './corpus.ts';
import { coordinateCommand } from './coordinate.ts';
import { enginesCommand } from './engines.ts';
import { eventsCommand } from './events.ts';
import { healthCommand } from './health.ts';
import { learnCommand } from './learn.ts';
import { mcpCommand } from './mcp.ts';
import { metricsCommand } from './metrics.ts';
import { modelsCommand } from './models.ts';
import { operationsCommand } from './operations.ts';
import { pingCommand } from './ping.ts';
import { publishCommand } from './publish.ts';
import { queryCommand } from './query.ts';
import { reasonCommand } from './reason.ts';
import { replayCommand } from './replay.ts';
import { sessionsCommand } from './sessions.ts';
import { streamCommand } from './stream.ts';
import { voteCommand } from './vote.ts';

export function tandemProgram(): Command {
  return programOf([
    pingCommand(),
    healthCommand(),
    reasonCommand(),
    voteCommand(),
    coordinateCommand(),
    learnCommand(),
    operationsCommand(),
    batchCommand(),
    streamCommand(),
    modelsCommand(),
    enginesCommand(),
    sessionsCommand(),
    metricsCommand(),
    eventsCommand(),
    publishCommand(),
    replayCommand(),
    agentsCommand(),
    mcpCommand(),
    corpusCommand(),
    queryCommand(),
    configCommand(),
    completionCommand(),
  ]);
}
