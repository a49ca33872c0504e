// A router as a process of its own, so that what it needs can be told from what its callers need.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './process.ts';

export interface RouterProcess {
  readonly address: string;
  /** Memory it holds now, bytes. */
  rssBytes(): number;
  /** SIGTERM. Resolves with its exit code when it has drained and is gone. */
  stop(): Promise<number | null>;
  /** SIGKILL, for one that may not have stopped. */
  kill(): void;
}

/** `settings` as in services/config/schema.ts; it spawns no sidecars unless they say so. */
export async function startRouter(settings: Record<string, unknown>): Promise<RouterProcess> {
  const config = join(mkdtempSync(join(tmpdir(), 'tandem-router-')), 'router.yaml');
  const whole = { listen: '127.0.0.1:0', http_listen: 'off', spawn: { count: 0 }, log_level: 'error', ...settings };
  writeFileSync(config, JSON.stringify(whole)); // JSON is YAML
  const { child, line, finished } = run('services/start.ts', ['--config', config]);
  const banner = await line(/^ {2}router\s/);
  return {
    address: banner.trim().split(/\s+/)[1]!,
    rssBytes: () => {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1_024;
    },
    stop: async () => {
      child.kill('SIGTERM');
      return (await finished).code;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
