// `tandem completion`: the scripts are made from the commands themselves, so they cannot fall behind them. (A library
// that asks the program at every TAB would start Node.js each time, and keep the user waiting.)
import { Argument, Command } from 'commander';
import { bashScript, fishScript, zshScript } from './completion-scripts.ts';
import { placesOf } from './completion-places.ts';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** `every`: the program with all its commands. */
export function completionCommand(every: () => Promise<Command>): Command {
  return new Command('completion')
    .addArgument(new Argument('<shell>', 'yours').choices(Object.keys(SCRIPTS)))
    .addHelpText(
      'after',
      `
The shell completes the word "tandem"; where it runs by npx, make that a word first: alias tandem='npx tandem'

  bash  echo 'source <(npx tandem completion bash)' >> ~/.bashrc
  zsh   echo 'source <(npx tandem completion zsh)' >> ~/.zshrc      (after compinit)
  fish  npx tandem completion fish > ~/.config/fish/completions/tandem.fish

Example: source <(npx tandem completion bash)`,
    )
    .action(async (shell: keyof typeof SCRIPTS) => {
      process.stdout.write(SCRIPTS[shell](placesOf(await every())));
    });
}
