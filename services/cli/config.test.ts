import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Finished, run } from '../../test/support/process.ts';

function settingsFile(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'tandem-config-')), 'tandem.yaml');
  writeFileSync(file, text);
  return file;
}

function config(args: string[], env: Record<string, string> = {}): Promise<Finished> {
  return run('services/cli/main.ts', ['config', ...args], { env }).finished;
}

describe('tandem config', () => {
  it('check lists settings that differ from the defaults and exits with 0', async () => {
    const finished = await config(['check', settingsFile('strategy: FASTEST\n')], { TANDEM_SPAWN_COUNT: '3' });
    expect(finished.stdout).toMatch(
      /^settings are fine; .*\n\nSETTING +VALUE +DEFAULT +FROM\nstrategy +"FASTEST" +"ROUND_ROBIN" +\S+tandem\.yaml:1\nspawn\.count +3 +unset +variable TANDEM_SPAWN_COUNT\n$/,
    );
    expect(finished.code).toBe(0);
  });

  it('check lists all problems, one per line, and exits with 2', async () => {
    const finished = await config(['check', settingsFile('strategy: LUCK\nspawn: {cuont: 1}\n')], { TANDEM_QUUX: '1' });
    expect(finished.stdout.trim().split('\n')).toEqual([
      expect.stringMatching(/tandem\.yaml:1: setting "strategy" is "LUCK"/),
      expect.stringMatching(/tandem\.yaml:2: unknown setting "spawn\.cuont"; did you mean "spawn\.count"\?/),
      expect.stringMatching(/^variable TANDEM_QUUX: unknown setting/),
    ]);
    expect(finished.code).toBe(2);
  });

  it('check exits with 2 if the file cannot be read', async () => {
    const finished = await config(['check', '/no/such/file']);
    expect([finished.code, finished.stderr]).toEqual([2, expect.stringMatching(/cannot read settings file/)]);
  });

  it('print writes a file that check accepts', async () => {
    const { stdout } = await config(['print'], { TANDEM_CONFIG: settingsFile('cache: {ttl_ms: 5000}\n') });
    expect(stdout).toMatch(/TANDEM_CACHE_TTL_MS · live · changed by \S+tandem\.yaml:1\n {2}ttl_ms: 5000\n/);
    const checked = await config(['check', settingsFile(stdout), '--json']);
    expect(JSON.parse(checked.stdout)).toMatchObject({ ok: true, changes: [{ key: 'cache.ttl_ms', value: 5000 }] });
  });

  it('print --json writes JSON', async () => {
    const { stdout } = await config(['print', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ strategy: 'ROUND_ROBIN', cache: { enabled: true } });
  });

  it('schema prints a JSON Schema', async () => {
    const { stdout } = await config(['schema']);
    expect(JSON.parse(stdout)).toMatchObject({
      type: 'object',
      properties: { listen: { default: '127.0.0.1:50051' } },
    });
  });
});
