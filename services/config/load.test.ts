import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { checkSettings, loadSettings } from './load.ts';

function settingsFile(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'tandem-config-')), 'tandem.yaml');
  writeFileSync(file, text);
  return file;
}

const inFile = (text: string) => checkSettings({ env: {}, file: settingsFile(text) });

describe('settings', () => {
  it('have a default for every key', () => {
    const settings = loadSettings({ env: {} });
    expect(settings.listen).toBe('127.0.0.1:50051');
    expect(settings.local).toEqual({ enabled: true, workers: 1 });
  });

  it('prefer flags to variables, and variables to the file', () => {
    const file = settingsFile('spawn: {count: 1, base_port: 1000, threads: 9}\nstrategy: LOCAL_FIRST\n');
    const env = { TANDEM_CONFIG: file, TANDEM_SPAWN_COUNT: '2', TANDEM_SPAWN_BASE_PORT: '2000' };
    const flags = [{ flag: '--engines', key: 'spawn.count', text: '3' }];
    const settings = loadSettings({ env, flags });
    expect(settings.spawn).toMatchObject({ count: 3, base_port: 2000, threads: 9 });
    expect(settings.strategy).toBe('LOCAL_FIRST');
  });

  it('use the variable if the flag is missing', () => {
    const flags = [{ flag: '--engines', key: 'spawn.count', text: undefined }];
    expect(loadSettings({ env: { TANDEM_SPAWN_COUNT: '2' }, flags }).spawn.count).toBe(2);
  });

  it('use the defaults of a program only if nothing else is set', () => {
    const defaults = { reflection: true };
    expect(loadSettings({ env: {}, defaults }).reflection).toBe(true);
    expect(loadSettings({ env: { TANDEM_REFLECTION: 'false' }, defaults }).reflection).toBe(false);
  });

  it('read a list in a variable as YAML', () => {
    const settings = loadSettings({ env: { TANDEM_SIDECARS: '[{id: a, address: "host:1"}]' } });
    expect(settings.sidecars).toEqual([{ id: 'a', address: 'host:1' }]);
  });

  it('read text in a variable unchanged', () => {
    const settings = loadSettings({ env: { TANDEM_LISTEN: '[::1]:50051', TANDEM_DEFAULT_MODEL: '007' } });
    expect([settings.listen, settings.default_model]).toEqual(['[::1]:50051', '007']);
  });

  it('treat an empty variable as unset', () => {
    expect(loadSettings({ env: { TANDEM_SPAWN_COUNT: '', TANDEM_CONFIG: '' } })).toEqual(loadSettings({ env: {} }));
  });

  it.each([
    ['the file and its line', { TANDEM_CONFIG: settingsFile('\nspawn:\n  count: two\n') }, /tandem\.yaml:3: /],
    ['the variable', { TANDEM_SPAWN_COUNT: 'two' }, /^variable TANDEM_SPAWN_COUNT: /],
  ])('that are invalid cause a one-line error that names %s', (_, env, message) => {
    const load = (): unknown => loadSettings({ env });
    expect(load).toThrow(message);
    expect(load).toThrow(/setting "spawn\.count" is "two"; it must be a whole number, 0 to 64$/);
    expect(load).not.toThrow(/\n/);
  });

  it('that are invalid cause an error that names the flag', () => {
    const flags = [{ flag: '--engines', key: 'spawn.count', text: '65' }];
    expect(() => loadSettings({ env: {}, flags })).toThrow(
      /^flag --engines: setting "spawn\.count" is 65; .* 0 to 64$/,
    );
  });

  it('that are invalid cause an error with the number of other errors', () => {
    const load = (): unknown => loadSettings({ env: {}, file: settingsFile('a: 1\nb: 2\nc: 3') });
    expect(load).toThrow(/unknown setting "a".*\(and 2 more: "tandem config check" lists all\)$/);
  });

  it.each([
    [
      'cache: {ttl_ms: 5s}',
      'setting "cache.ttl_ms" is "5s"; it must be a whole number of milliseconds, 0 to 2,592,000,000; for "5s" write 5000',
    ],
    [
      'cache: {max_bytes: 64 MiB}',
      'setting "cache.max_bytes" is "64 MiB"; it must be a whole number of bytes, 1,024 to 1,099,511,627,776; for "64 MiB" write 67108864',
    ],
    ['local_first_share: 80%', 'setting "local_first_share" is "80%"; it must be a share, 0 to 1; for "80%" write 0.8'],
    ['local_first_share: 1.5', 'setting "local_first_share" is 1.5; it must be a share, 0 to 1'],
    ['spawn: {count: 1.5}', 'setting "spawn.count" is 1.5; it must be a whole number, 0 to 64'],
    ['cache: {enabled: yes}', 'setting "cache.enabled" is "yes"; it must be true or false'],
    ['edge: natve', 'setting "edge" is "natve"; it must be one of native, grpc-js; did you mean native?'],
    ['listen: ""', 'setting "listen" is ""; it must be "host:port", such as "127.0.0.1:50051", or "unix:PATH"'],
    ['spawn: 3', 'setting "spawn" is 3; it must be a group of settings: count, base_port, socket_dir, binary, threads'],
    ['sidecars: one', 'setting "sidecars" is "one"; it must be a list of {id, address}, at most 64 long'],
    ['sidecars: [{id: a}]', 'setting "sidecars[0].address" is missing; it must be text'],
    [
      'sidecars: [{id: "!", address: b:1}]',
      'setting "sidecars[0].id" is "!"; it must be letters, digits, ".", "_" or "-", at most 63',
    ],
    ['listen:', 'setting "listen" is null; it must be text'],
    [
      'listen: 127.0.0.1',
      'setting "listen" is "127.0.0.1"; it must be "host:port", such as "127.0.0.1:50051", or "unix:PATH"',
    ],
  ])('with an invalid value name the valid values: %s', (text, message) => {
    expect(inFile(text).problems).toEqual([expect.stringMatching(/tandem\.yaml:1: /)]);
    expect(inFile(text).problems[0]?.replace(/^.*tandem\.yaml:1: /, '')).toBe(message);
  });

  it.each([
    ['spawn: {cuont: 3}', 'spawn.cuont', 'spawn.count'],
    ['spwan: {count: 3}', 'spwan', 'spawn'],
    ['base_port: 3', 'base_port', 'spawn.base_port'],
    ['max_atempts: 3', 'max_atempts', 'retry.max_attempts'],
    ['cache: {ttl: 3}', 'cache.ttl', 'cache.ttl_ms" (a number of milliseconds)'],
    ['cache: {ttl_seconds: 3}', 'cache.ttl_seconds', 'cache.ttl_ms" (a number of milliseconds)'],
    [
      'sidecars: [{id: a, address: b:1}, {id: b, address: c:1, adress: d}]',
      'sidecars[1].adress',
      'sidecars[1].address',
    ],
  ])('with an unknown key suggest a known one: %s', (text, given, meant) => {
    expect(inFile(text).problems).toEqual([
      expect.stringContaining(`unknown setting "${given}"; did you mean "${meant}${meant.endsWith(')') ? '' : '"'}?`),
    ]);
  });

  it('with an unknown key suggest nothing if no key is similar', () => {
    expect(inFile('quux: 1').problems).toEqual([
      expect.stringMatching(/unknown setting "quux"; "tandem config print" lists all settings$/),
    ]);
  });

  it.each([
    ['TANDEM_SPAWN_CUONT', 'TANDEM_SPAWN_COUNT'],
    ['TANDEM_BASE_PORT', 'TANDEM_SPAWN_BASE_PORT'],
    ['TANDEM_SPAWN', 'TANDEM_SPAWN_COUNT'],
    ['TANDEM_CONFG', 'TANDEM_CONFIG'],
  ])('refuse an unknown variable and suggest a known one: %s', (given, meant) => {
    expect(() => loadSettings({ env: { [given]: '1' } })).toThrow(
      `variable ${given}: unknown setting; did you mean ${meant}?`,
    );
  });

  it('refuse an unknown variable that resembles no other', () => {
    expect(() => loadSettings({ env: { TANDEM_QUUX: '1' } })).toThrow(
      /^variable TANDEM_QUUX: unknown setting; unset it/,
    );
  });

  it.each([
    ['the client', { TANDEM_ADDRESS: 'a:1' }],
    ['the C++ engine', { TANDEM_ENGINE_THREADS: '2' }],
    [
      'Kubernetes',
      {
        TANDEM_SERVICE_HOST: '10.0.0.1',
        TANDEM_ROUTER_PORT: 'tcp://10.0.0.1:50051',
        TANDEM_PORT_50051_TCP_ADDR: '10.0.0.1',
      },
    ],
  ])('ignore the variables of %s', (_, env) => {
    expect(checkSettings({ env }).problems).toEqual([]);
  });

  it('report all errors at once', () => {
    const { problems } = checkSettings({
      env: { TANDEM_STRATEGY: 'LUCK', TANDEM_X: '' },
      file: settingsFile('a: 1\nb: 2\nspawn: {count: -1}'),
    });
    expect(problems.map((line) => /"[\w.]+"|TANDEM_X/.exec(line)?.[0])).toEqual([
      '"strategy"',
      '"spawn.count"',
      '"a"',
      '"b"',
      'TANDEM_X',
    ]);
  });

  it('list what differs from the defaults, and its source', () => {
    const { changes } = checkSettings({ env: { TANDEM_SPAWN_COUNT: '3', TANDEM_STRATEGY: 'ROUND_ROBIN' } });
    expect(changes).toEqual([
      { key: 'spawn.count', value: 3, default: undefined, where: 'variable TANDEM_SPAWN_COUNT' },
    ]);
  });

  it.each([
    ['[1, 2]', /must hold keys and values/],
    ['a: [', /is not YAML/],
    ['a: 1\na: 2', /is not YAML: Map keys must be unique/],
    ['a: *b', /is not YAML/],
  ])('refuse a file that is not a settings file: %s', (text, message) => {
    const load = (): unknown => loadSettings({ env: {}, file: settingsFile(text) });
    expect(load).toThrow(message);
    expect(load).not.toThrow(/\n/);
  });

  it('name a file that cannot be read', () => {
    expect(() => loadSettings({ env: {}, file: '/no/such/file.yaml' })).toThrow(/\/no\/such\/file\.yaml/);
  });
});
