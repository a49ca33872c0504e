// The commands of `npx tandem`, in the order of --help. Each command is a file that is loaded when called: loading all
// of them takes longer than most commands.
import type { Command } from 'commander';

export interface CommandEntry {
  readonly name: string;
  /** One line. */
  readonly about: string;
  load(): Promise<Command>;
}

/** `every`: loads all commands, for code that needs all of them. */
export function commandEntries(every: () => Promise<Command>): readonly CommandEntry[] {
  const entry = (name: string, about: string, load: () => Promise<Command>): CommandEntry => ({ name, about, load });
  return [
    entry('ping', 'Check that the router answers.', async () => (await import('./ping.ts')).pingCommand()),
    entry('health', 'Check whether the router is ready for requests (exit code 0 if it is).', async () =>
      (await import('./health.ts')).healthCommand(),
    ),
    entry('reason', 'Send one input and print the conclusion.', async () =>
      (await import('./reason.ts')).reasonCommand(),
    ),
    entry('vote', 'Send one input to several engines and show which agree.', async () =>
      (await import('./vote.ts')).voteCommand(),
    ),
    entry('coordinate', 'Send one input to several models and print their consensus.', async () =>
      (await import('./coordinate.ts')).coordinateCommand(),
    ),
    entry('learn', 'Teach a student from examples; show what students learnt; go back to a version.', async () =>
      (await import('./learn.ts')).learnCommand(),
    ),
    entry('operations', 'List long work, such as learning, or cancel it.', async () =>
      (await import('./operations.ts')).operationsCommand(),
    ),
    entry('batch', 'Send many inputs, some hundred in each call; print the answers in order.', async () =>
      (await import('./batch.ts')).batchCommand(),
    ),
    entry('stream', 'Send many inputs over one stream; print the answers as they arrive.', async () =>
      (await import('./stream.ts')).streamCommand(),
    ),
    entry('models', 'List models; add, load and unload versions; import from a framework.', async () =>
      (await import('./models.ts')).modelsCommand(),
    ),
    entry('engines', 'List engines; register, remove, drain and readmit them; set the strategy.', async () =>
      (await import('./engines.ts')).enginesCommand(),
    ),
    entry('sessions', 'List open sessions, or end one.', async () => (await import('./sessions.ts')).sessionsCommand()),
    entry('metrics', 'Print the router’s counters and latencies.', async () =>
      (await import('./metrics.ts')).metricsCommand(),
    ),
    entry('events', 'Print events of the router, live, until Ctrl-C (--after 0: past events, too).', async () =>
      (await import('./events.ts')).eventsCommand(),
    ),
    entry('publish', 'Publish an event to a topic.', async () => (await import('./publish.ts')).publishCommand()),
    entry('replay', 'Run the input of a recorded dispute on every engine and show where they differ.', async () =>
      (await import('./replay.ts')).replayCommand(),
    ),
    entry('agents', 'Analyse a goal, or split a task into smaller ones.', async () =>
      (await import('./agents.ts')).agentsCommand(),
    ),
    entry(
      'mcp',
      'Offer the router to agents as an MCP server: tools reason, vote, replay, query and models.',
      async () => (await import('./mcp.ts')).mcpCommand(),
    ),
    entry('corpus', 'Manage the documents that "tandem query" searches.', async () =>
      (await import('./corpus.ts')).corpusCommand(),
    ),
    entry('query', 'Ask a question of your documents; the answer cites them.', async () =>
      (await import('./query.ts')).queryCommand(),
    ),
    entry('config', 'Check, print or reload the router’s settings; make a token.', async () =>
      (await import('./config.ts')).configCommand(),
    ),
    entry('completion', 'Print a script that lets your shell complete commands, options and values.', async () =>
      (await import('./completion.ts')).completionCommand(every),
    ),
  ];
}
