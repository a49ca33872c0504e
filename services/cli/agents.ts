import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { AgentServiceClient, AnalyzeGoalResponse, DecomposeTaskResponse } from '../generated/tandem/v1/agents.ts';
import { goalText, tasksText } from './agents-text.ts';
import { call, print } from './client.ts';

export function agentsCommand(): Command {
  return new Command('agents')
    .addCommand(goalCommand())
    .addCommand(decomposeCommand())
    .addHelpText(
      'after',
      `
A language model answers where setting agents.provider names one; else, or where it fails, rules do.

Examples: npx tandem agents goal "Cut the p99 latency to under 100 ms by March 1"
          npx tandem agents decompose "First build the app, then test it. Finally, announce it." --json`,
    );
}

function goalCommand(): Command {
  return new Command('goal')
    .description('Say what a goal asks for, its constraints, how to check it, and what it leaves open.')
    .argument('<text...>', 'the goal in words; "-" is standard input')
    .addHelpText('after', '\nExample: npx tandem agents goal "Cut the p99 latency to under 100 ms by March 1"')
    .action(async (words: string[], _options: unknown, command: Command) => {
      const request = { goal: textOf(words) };
      const response = await call(command, AgentServiceClient, (client) => client.analyzeGoal, request);
      print(command, AnalyzeGoalResponse.toJSON(response), () => goalText(response));
    });
}

function decomposeCommand(): Command {
  return new Command('decompose')
    .description('Split a task into smaller ones, with their order and hours, and how to know that each is done.')
    .argument('<text...>', 'the task in words; "-" is standard input')
    .addHelpText('after', '\nExample: npx tandem agents decompose - < plan.md')
    .action(async (words: string[], _options: unknown, command: Command) => {
      const request = { task: textOf(words) };
      const response = await call(command, AgentServiceClient, (client) => client.decomposeTask, request);
      print(command, DecomposeTaskResponse.toJSON(response), () => tasksText(response));
    });
}

function textOf(words: readonly string[]): string {
  return words.length === 1 && words[0] === '-' ? readFileSync(0, 'utf8') : words.join(' ');
}
