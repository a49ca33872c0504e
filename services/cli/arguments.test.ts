import { describe, expect, it } from '@jest/globals';
import { Command, Option } from 'commander';
import { oneOf } from './arguments.ts';

function parsed(value: string): unknown {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  command.addOption(oneOf(new Option('--cache <mode>', 'what to do'), ['use', 'bypass']));
  return command.parse(['--cache', value], { from: 'user' }).opts()['cache'];
}

describe('oneOf', () => {
  it.each(['bypass', 'BYPASS', 'Bypass'])('accepts the value %s', (value) => {
    expect(parsed(value)).toBe('bypass');
  });

  it('refuses an unknown value and lists the choices', () => {
    expect(() => parsed('never')).toThrow('Allowed choices are use, bypass.');
  });
});
