import type { Command } from 'commander';
import { describe, expect, it } from '@jest/globals';
import { tandemProgram } from './program.ts';

const program = tandemProgram();

function everyCommand(command: Command, path: string): [path: string, command: Command][] {
  return [[path, command], ...command.commands.flatMap((child) => everyCommand(child, `${path} ${child.name()}`))];
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}

/** The message that wrong words end with. */
async function refusal(words: string): Promise<string> {
  let text = '';
  const fresh = tandemProgram();
  for (const [, command] of everyCommand(fresh, '')) command.configureOutput({ writeErr: (part) => (text += part) });
  const error = await fresh.parseAsync(words.split(' '), { from: 'user' }).then(
    () => undefined,
    (thrown: unknown) => thrown as Error,
  );
  return text || (error?.message ?? 'accepted');
}

describe('tandem', () => {
  it.each(everyCommand(program, 'tandem'))('explains itself with an example: %s --help', (path, command) => {
    expect(helpOf(command)).toMatch(new RegExp(`^Usage: ${path} [^]*\\nExamples?: .*tandem`));
  });

  it('documents its exit codes', () => {
    expect(helpOf(program)).toContain(
      '0 answered · 1 refused or failed · 2 wrong usage or settings · 3 no router at the address · 130 interrupted',
    );
  });

  it.each([
    ['batch', /give either a file/],
    ['batch inputs.jsonl --sample dog', /give either a file/],
    ['batch --sample unicorn', /there is no sample "unicorn"; there are: dog/],
    ['batch /no/such/file', /cannot read "\/no\/such\/file"/],
    ['batch - --chunk 0', /It must be a whole number, 1 to 100000/],
    ['stream - --cache never', /Allowed choices are use, bypass, refresh/],
    ['ping --timeout-ms soon', /It must be a whole number, 1 to 3600000/],
    ['engines reomve x', /unknown command 'reomve'/],
    ['engines drain', /missing required argument 'id'/],
    ['engines strategy LUCK', /LUCK.*ROUND_ROBIN/],
    ['events --after soon', /It must be a whole number/],
    ['publish user.x y --data z', /It must be key=value/],
    ['config chek', /unknown command 'chek'[^]*Did you mean check/],
    ['completion tcsh', /tcsh.*bash, zsh, fish/],
  ])('refuses wrong words and says what there is: %s', async (words, message) => {
    expect(await refusal(words)).toMatch(message);
  });
});
