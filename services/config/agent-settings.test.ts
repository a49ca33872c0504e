import { describe, expect, it } from '@jest/globals';
import { readSecret } from './agent-settings.ts';
import { loadSettings } from './load.ts';

const load = (env: Record<string, string>): unknown => loadSettings({ env });
const URL = 'TANDEM_AGENTS_PROVIDER_BASE_URL';
const MODEL = { TANDEM_AGENTS_PROVIDER_MODEL: 'm' };

describe('setting agents.provider', () => {
  it.each([
    ['nothing', {}],
    ['https', { ...MODEL, [URL]: 'https://api.example/v1' }],
    ['this machine', { ...MODEL, [URL]: 'http://127.0.0.1:11434/v1' }],
    ['plaintext with insecure', { ...MODEL, [URL]: 'http://10.0.0.7/v1', TANDEM_INSECURE: 'true' }],
  ])('accepts %s', (_what, env) => {
    expect(() => load(env)).not.toThrow();
  });

  it.each([
    ['plaintext to another machine', { ...MODEL, [URL]: 'http://10.0.0.7/v1' }, /base_url.*must be https/],
    ['no address', { ...MODEL, [URL]: 'api.example' }, /base_url.*"https:\/\/HOST\/v1"/],
    ['a key in the address', { ...MODEL, [URL]: 'https://user:key@api.example/v1' }, /base_url/],
    ['no model', { [URL]: 'https://api.example/v1' }, /agents.provider.model/],
  ])('refuses %s', (_what, env, message) => {
    expect(() => load(env)).toThrow(message);
  });
});

it('readSecret reads the variable that a setting names', () => {
  expect(readSecret('MY_KEY', { MY_KEY: ' secret\n' })).toBe('secret');
  expect(readSecret('MY_KEY', {})).toBe('');
  expect(readSecret('', { '': 'x' })).toBe('');
});
