import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadSettings } from './load.ts';

function settingsFile(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'tandem-config-')), 'tandem.yaml');
  writeFileSync(file, text);
  return file;
}

describe('settings', () => {
  it('need nothing to be set', () => {
    const settings = loadSettings({ env: {} });
    expect(settings.listen).toBe('0.0.0.0:50051');
    expect(settings.local).toEqual({ enabled: true, workers: 1 });
  });

  it('take the flag over the environment, and the environment over the file', () => {
    const file = settingsFile('spawn: {count: 1, base_port: 1000, threads: 9}\nstrategy: LOCAL_FIRST\n');
    const env = { TANDEM_CONFIG: file, TANDEM_SPAWN_COUNT: '2', TANDEM_SPAWN_BASE_PORT: '2000' };
    const settings = loadSettings({ env, flags: { spawn: { count: 3 } } });
    expect(settings.spawn).toMatchObject({ count: 3, base_port: 2000, threads: 9 });
    expect(settings.strategy).toBe('LOCAL_FIRST');
  });

  it('read lists from the environment as YAML', () => {
    const settings = loadSettings({ env: { TANDEM_SIDECARS: '[{id: a, address: "host:1"}]' } });
    expect(settings.sidecars).toEqual([{ id: 'a', address: 'host:1' }]);
  });

  it.each([
    ['spawn: {cuont: 3}', /unknown setting "spawn.cuont"/],
    ['local_first_share: 1.5', /setting "local_first_share": .*1/],
    ['spawn: {count: two}', /setting "spawn.count"/],
    ['strategy: SOMETIMES', /setting "strategy"/],
    ['[1, 2]', /must hold keys and values/],
    ['a: [', /is not YAML/],
  ])('that cannot be used stop the start with one line that names the key: %s', (text, message) => {
    const load = (): unknown => loadSettings({ env: {}, file: settingsFile(text) });
    expect(load).toThrow(message);
    expect(load).not.toThrow(/\n/);
  });

  it('name the file that cannot be read', () => {
    expect(() => loadSettings({ env: {}, file: '/no/such/file.yaml' })).toThrow(/\/no\/such\/file\.yaml/);
  });
});
