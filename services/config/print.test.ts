import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { SETTINGS, settingsJsonSchema, shapeAt } from './catalogue.ts';
import { checkSettings, loadSettings } from './load.ts';
import { printSettings } from './print.ts';

const CHANGED = {
  TANDEM_SPAWN_COUNT: '3',
  TANDEM_LISTEN: '[::1]:5',
  TANDEM_DEFAULT_MODEL: '# yes: "no"',
  TANDEM_SIDECARS: '[{id: a, address: "h:1"}, {id: b, address: "unix:///x"}]',
};

function printed(env: Record<string, string>): string {
  const { settings, changes } = checkSettings({ env });
  return printSettings(settings!, changes);
}

describe('printed settings', () => {
  it.each([
    ['defaults', {}],
    ['changed settings', CHANGED],
  ])('are a settings file with the same values: %s', (_, env) => {
    const file = join(mkdtempSync(join(tmpdir(), 'tandem-print-')), 'tandem.yaml');
    writeFileSync(file, printed(env));
    expect(loadSettings({ env: {}, file })).toEqual(loadSettings({ env }));
  });

  it('have a comment with meaning, range, default and variable', () => {
    expect(printed({})).toContain(`
  # Length of the window, milliseconds.
  # a whole number of milliseconds, 100 to 600,000 · default 10000 · TANDEM_BREAKER_WINDOW_MS
  window_ms: 10000
`);
  });

  it('mark each changed value and its source', () => {
    const marked = printed(CHANGED)
      .split('\n')
      .filter((line) => line.includes('· changed by'));
    expect(marked).toHaveLength(4);
    expect(marked[3]).toMatch(/unset by default · TANDEM_SPAWN_COUNT · changed by variable TANDEM_SPAWN_COUNT/);
  });

  it('comment out a setting without a value', () => {
    expect(printed({})).toMatch(/^ {2}# count:$/m);
  });
});

describe('every setting', () => {
  it.each(SETTINGS.map((setting) => [setting.key, setting] as const))(
    '%s has a description, and a range if it is a number',
    (_, { doc, shape }) => {
      expect(doc).toMatch(/\S\.$/);
      if (shape.type === 'integer' || shape.type === 'number') {
        expect([shape.minimum, shape.maximum]).toEqual([expect.any(Number), expect.any(Number)]);
        expect(shape.maximum).toBeLessThan(Number.MAX_SAFE_INTEGER);
      }
    },
  );

  it('has its own variable', () => {
    const variables = SETTINGS.map(({ variable }) => variable);
    expect(new Set(variables).size).toBe(variables.length);
    expect(variables).toContain('TANDEM_SPAWN_COUNT');
    expect(variables.filter((variable) => variable.startsWith('TANDEM_ENGINE_'))).toEqual([]);
  });

  it('is in the JSON Schema', () => {
    const schema = settingsJsonSchema();
    expect(schema).toMatchObject({ $schema: 'http://json-schema.org/draft-07/schema#', additionalProperties: false });
    expect(shapeAt(['cache', 'ttl_ms'])).toMatchObject({
      type: 'integer',
      default: 300_000,
      description: expect.any(String),
    });
    expect(shapeAt(['sidecars', 0, 'address'])).toMatchObject({ type: 'string' });
  });
});
