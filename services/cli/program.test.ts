import type { Command } from 'commander';
import { describe, expect, it } from '@jest/globals';
import { everyCommand, tandemProgram } from './program.ts';

const program = await everyCommand();

function treeOf(command: Command, path: string): [path: string, command: Command][] {
  return [[path, command], ...command.commands.flatMap((child) => treeOf(child, `${path} ${child.name()}`))];
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}

describe('tandem', () => {
  it.each(treeOf(program, 'tandem'))('has a help text with an example: %s --help', (path, command) => {
    expect(helpOf(command)).toMatch(new RegExp(`^Usage: ${path} [^]*\\nExamples?: .*tandem`));
  });

  it('documents its exit codes', () => {
    expect(helpOf(program)).toContain(
      '0 answered · 1 refused or failed · 2 wrong usage or settings · 3 no router at the address · 130 interrupted',
    );
  });

  it('loads only the called command', async () => {
    const { commands } = await tandemProgram(['--timeout-ms', '5', 'ping']);
    expect(commands.map((command) => command.name())).toEqual(program.commands.map((command) => command.name()));
    const examples = commands.filter((command) => helpOf(command).includes('Example'));
    expect(examples.map((command) => command.name())).toEqual(['ping']);
  });

  it('has a description of every command before it is loaded', async () => {
    const { commands } = await tandemProgram([]);
    const about = (all: readonly Command[]): string[] => all.map((command) => command.description());
    expect(about(commands)).toEqual(about(program.commands));
    expect(about(commands)).not.toContain('');
  });

  it.each([['reason'], ['help', 'reason'], ['reason', '--help']])(
    'prints the help of a command: %j',
    async (...words) => {
      const { commands } = await tandemProgram(words);
      expect(helpOf(commands.find((command) => command.name() === 'reason')!)).toMatch(/--strategy <name>/);
    },
  );
});
