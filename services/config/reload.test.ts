import { describe, expect, it } from '@jest/globals';
import { SETTINGS } from './catalogue.ts';
import { describeChange, liveChanges } from './reload.ts';
import { settingsSchema } from './schema.ts';

const was = settingsSchema.parse({});

describe('liveChanges', () => {
  it('is empty if nothing has changed', () => {
    expect(liveChanges(was, settingsSchema.parse({}))).toEqual([]);
  });

  it('lists each change with the old and new value', () => {
    const next = settingsSchema.parse({ slow_start_ms: 0, sidecars: [{ id: 'far', address: 'far:50061' }] });
    expect(liveChanges(was, next).map(describeChange)).toEqual([
      'slow_start_ms: 2000 → 0',
      'sidecars: [] → [{"id":"far","address":"far:50061"}]',
    ]);
  });

  it('refuses all changes if one needs a restart, and names it', () => {
    const next = settingsSchema.parse({ slow_start_ms: 0, listen: '127.0.0.1:1', spawn: { count: 3 } });
    expect(() => liveChanges(was, next)).toThrow(
      'setting "listen" from "127.0.0.1:50051" to "127.0.0.1:1", "spawn.count" from unset to 3: ' +
        'restart the router to change it; nothing was changed',
    );
  });

  it.each(['vote.participants', 'retry.max_attempts', 'cache.ttl_ms', 'sidecars', 'discovery.targets', 'log_level'])(
    'allows a change of %s',
    (key) => {
      expect(SETTINGS.find((setting) => setting.key === key)?.isLive).toBe(true);
    },
  );

  it.each(['listen', 'models_dir', 'spawn.count', 'local.workers', 'cache.max_bytes', 'alerts.enabled'])(
    'refuses a change of %s',
    (key) => {
      expect(SETTINGS.find((setting) => setting.key === key)?.isLive).toBe(false);
    },
  );
});
