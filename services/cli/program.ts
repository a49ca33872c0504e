// `npx tandem` as a tree of commands.
import { Command } from 'commander';
import { adopt, baseProgram } from './base-program.ts';
import { type CommandEntry, commandEntries } from './commands.ts';

const HELP = 'help';

/** The program for `words`: loads the command that they name; the others have only a name and a description. */
export async function tandemProgram(words: readonly string[]): Promise<Command> {
  const program = baseProgram(words);
  const [first, second] = program.parseOptions([...words]).operands;
  const called = first === HELP ? second : first;
  return withCommands(program, (name) => name === called);
}

/** The program with every command. */
export function everyCommand(): Promise<Command> {
  return withCommands(baseProgram([]), () => true);
}

async function withCommands(program: Command, isLoaded: (name: string) => boolean): Promise<Command> {
  const entries = commandEntries(everyCommand);
  const commands = await Promise.all(entries.map((each) => commandOf(each, isLoaded(each.name))));
  for (const command of commands) adopt(program, command);
  return program;
}

async function commandOf({ name, about, load }: CommandEntry, isLoaded: boolean): Promise<Command> {
  return (isLoaded ? await load() : new Command(name)).description(about);
}
