// `tandem completion`: the scripts are generated from the commands, so they are never out of date. (A library that runs
// the program at every TAB would start Node.js each time, which is slow.) Only names from the router are fetched:
// `tandem completion engines` prints them.
import { join } from 'node:path';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { bashScript, fishScript, zshScript } from './completion-scripts.ts';
import { placesOf } from './completion-places.ts';
import { isValues, valuesFor } from './completion-values.ts';

/** Runs this very client, without npx. */
const PROGRAM = [process.execPath, join(import.meta.dirname, 'tandem.js')];
const SHELLS = ['bash', 'zsh', 'fish'] as const;
const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** `every`: the program with all its commands. */
export function completionCommand(every: () => Promise<Command>): Command {
  return new Command('completion')
    .addArgument(new Argument('<shell>', 'yours').choices(SHELLS).argParser(shellOrValues))
    .addHelpText(
      'after',
      `
The shell completes the word "tandem". Make it one, which also saves the second that npx takes:

  alias tandem="${PROGRAM.join(' ')}"

  bash  echo 'source <(npx tandem completion bash)' >> ~/.bashrc
  zsh   echo 'source <(npx tandem completion zsh)' >> ~/.zshrc      (after compinit)
  fish  npx tandem completion fish > ~/.config/fish/completions/tandem.fish

Example: source <(npx tandem completion bash)`,
    )
    .action(async (word: string, _options: unknown, command: Command) => {
      if (isValues(word)) {
        process.stdout.write((await valuesFor(word, command)).map((value) => `${value}\n`).join(''));
        return;
      }
      process.stdout.write(SCRIPTS[word as keyof typeof SCRIPTS](placesOf(await every()), listCommand()));
    });
}

function shellOrValues(word: string): string {
  if (Object.hasOwn(SCRIPTS, word) || isValues(word)) return word;
  throw new InvalidArgumentError(`Allowed choices are ${SHELLS.join(', ')}.`);
}

function listCommand(): string {
  const quoted = PROGRAM.map((path) => `'${path.replaceAll("'", "'\\''")}'`);
  return `${quoted.join(' ')} --timeout-ms 1000 completion`;
}
