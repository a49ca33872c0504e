// Lists every position on a command line and what can follow it, derived from the commands.
import type { Command, Option } from 'commander';
import type { Values } from './completion-values.ts';

/** Kinds of values that are fetched when TAB is pressed. */
const ARGUMENTS: Readonly<Record<string, Values>> = {
  'tandem engines remove': 'engines',
  'tandem engines drain': 'engines',
  'tandem engines readmit': 'engines',
  'tandem models load': 'models',
  'tandem models unload': 'models',
  'tandem models golden': 'models',
  'tandem sessions end': 'sessions',
};
const OPTIONS: Readonly<Record<string, Values>> = {
  '--model': 'models',
  '--teachers': 'models',
  '--base': 'models',
  '--sample': 'samples',
  '--session': 'sessions',
};

/** What can follow one command. */
export interface Place {
  /** Example: "tandem engines drain". */
  readonly path: string;
  readonly commands: readonly Word[];
  readonly options: readonly OptionWord[];
  /** Valid values of its argument; empty: anything. */
  readonly choices: readonly string[];
  /** Kind of values of its argument, fetched on TAB. Undefined: anything. */
  readonly values: Values | undefined;
  readonly takesFile: boolean;
}

export interface Word {
  readonly name: string;
  readonly about: string;
}

export interface OptionWord {
  /** Example: ["-m", "--model"]. */
  readonly names: readonly string[];
  readonly about: string;
  readonly takesValue: boolean;
  /** Valid values; empty: anything. */
  readonly choices: readonly string[];
  readonly values: Values | undefined;
}

/** The program, then all its commands. */
export function placesOf(program: Command): Place[] {
  const globals = program.options.map(optionWord);
  const walk = (command: Command, path: string): Place[] => {
    const [argument] = command.registeredArguments;
    const own = command === program ? [] : command.options.map(optionWord);
    const help = { names: ['-h', '--help'], about: 'what there is', takesValue: false, choices: [], values: undefined };
    const place = {
      path,
      commands: command.commands.map((child) => ({ name: child.name(), about: child.description() })),
      options: [...own, ...globals, help],
      choices: argument?.argChoices ?? [],
      values: ARGUMENTS[path],
      takesFile: argument?.name() === 'file',
    };
    return [place, ...command.commands.flatMap((child) => walk(child, `${path} ${child.name()}`))];
  };
  return walk(program, program.name());
}

function optionWord(option: Option): OptionWord {
  return {
    names: [option.short, option.long].filter((name) => name !== undefined),
    about: option.description,
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? [],
    values: OPTIONS[option.long ?? ''],
  };
}
