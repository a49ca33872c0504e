import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { placesOf } from './completion-places.ts';
import { bashScript, fishScript, zshScript } from './completion-scripts.ts';
import { everyCommand } from './program.ts';

/** Replaces the program that asks the router. */
const LIST = `printf '%s-1\\n'`;
const places = placesOf(await everyCommand());
const folder = mkdtempSync(join(tmpdir(), 'tandem-completion-'));

function written(script: string, name: string): string {
  const file = join(folder, name);
  writeFileSync(file, script);
  return file;
}

/** Returns what bash offers for TAB after the words. */
function complete(...words: string[]): string[] {
  const script = written(bashScript(places, LIST), 'tandem.bash');
  const ask = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tandem; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const offered = execFileSync('bash', ['-c', ask, 'bash', script, ...words], { encoding: 'utf8', cwd: folder });
  return offered.split('\n').filter((word) => word !== '');
}

describe('completion in bash', () => {
  it.each([
    ['commands', ['tandem', 're'], ['reason', 'replay']],
    ['subcommands', ['tandem', 'engines', 're'], ['register', 'remove', 'readmit']],
    ['options', ['tandem', 'reason', '--mo'], ['--model', '--model-version']],
    ['options of the program, after any command', ['tandem', 'config', 'print', '--js'], ['--json']],
    ['values of an option', ['tandem', 'reason', '--strategy', 'R'], ['ROUND_ROBIN', 'REDUNDANT']],
    ['values after an equals sign and a letter', ['tandem', 'reason', '--cache', '=', 'b'], ['bypass']],
    ['values directly after an equals sign', ['tandem', 'reason', '--cache', '='], ['use', 'bypass', 'refresh']],
    ['values of an argument', ['tandem', 'engines', 'strategy', 'F'], ['FASTEST']],
    ['commands after options with values', ['tandem', '--address', 'ping', 'eng'], ['engines']],
    ['names from the router for an option', ['tandem', 'reason', '--model', ''], ['models-1']],
    ['names from the router for an argument', ['tandem', 'engines', 'drain', 'e'], ['engines-1']],
    ['options beside such an argument', ['tandem', 'engines', 'drain', '--js'], ['--json']],
    ['nothing for a free value', ['tandem', 'reason', '--text', ''], []],
  ])('offers %s', (_, words, offered) => {
    expect(complete(...words)).toEqual(offered);
  });

  it('offers files if a command takes one', () => {
    writeFileSync(join(folder, 'my inputs.jsonl'), '');
    expect(complete('tandem', 'batch', 'my')).toEqual(['my inputs.jsonl']);
    expect(complete('tandem', 'models', 'my')).toEqual([]);
  });
});

describe('completion scripts', () => {
  it('include every command', () => {
    const paths = places.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining(['tandem', 'tandem stream', 'tandem engines drain', 'tandem config schema']),
    );
  });

  const SHELLS = [
    ['bash', bashScript, 'bash'],
    ['zsh', zshScript, 'zsh'],
    ['fish', fishScript, 'fish'],
  ] as const;

  it.each(SHELLS)('are valid %s, if that shell is installed', (name, script, shell) => {
    const checked = spawnSync(shell, ['-n', written(script(places, LIST), `check.${name}`)], { encoding: 'utf8' });
    if (checked.error && 'code' in checked.error && checked.error.code === 'ENOENT') return;
    expect([checked.status, checked.stderr]).toEqual([0, '']);
  });
});
