import { describe, expect, it } from '@jest/globals';
import { Command, Option } from 'commander';
import { oneOf } from './arguments.ts';

function parsed(value: string): unknown {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  command.addOption(oneOf(new Option('--cache <mode>', 'what to do'), ['use', 'bypass']));
  return command.parse(['--cache', value], { from: 'user' }).opts()['cache'];
}

describe('one of several names', () => {
  it.each(['bypass', 'BYPASS', 'Bypass'])('may be written as %s', (value) => {
    expect(parsed(value)).toBe('bypass');
  });

  it('is refused, with those there are, if it is none of them', () => {
    expect(() => parsed('never')).toThrow('Allowed choices are use, bypass.');
  });
});
