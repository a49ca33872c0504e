// A router as a separate process, so that its resources can be measured apart from its callers'.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { run } from './process.ts';

/** The environment of `npm start`. */
const ROUTER_ENV = parseEnv(readFileSync(new URL('../../deploy/router.env', import.meta.url), 'utf8')) as Record<
  string,
  string
>;

export interface RouterProcess {
  readonly pid: number;
  /** Its standard error so far. */
  log(): string;
  readonly address: string;
  /** Address of the administrative listener. */
  readonly adminAddress: string;
  /** Of the dashboard; empty if setting `http_listen` is off, which is the default here. */
  readonly httpAddress: string;
  /** CPU time so far, milliseconds. */
  cpuMs(): number;
  /** Present memory, bytes. */
  rssBytes(): number;
  /** Writes its settings file again, with these added to those of its start, or with this text, and sends SIGHUP. */
  reload(settings: Record<string, unknown> | string): void;
  /** SIGTERM. Resolves with its exit code when it has drained and ended. */
  stop(): Promise<number | null>;
  /** SIGKILL, in case it has not stopped. */
  kill(): void;
}

/**
 * `settings` as in services/config/schema.ts; by default it spawns no sidecars. `env`: in addition to ours.
 * `descriptors`: its limit on open files.
 */
export async function startRouter(
  settings: Record<string, unknown>,
  env: Record<string, string> = {},
  descriptors?: number,
): Promise<RouterProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-router-'));
  const config = join(folder, 'router.yaml');
  const adminAddress = `unix:${join(folder, 'admin.sock')}`;
  const admin = { listen: adminAddress };
  const whole = {
    admin,
    listen: '127.0.0.1:0',
    http_listen: 'off',
    spawn: { count: 0 },
    log_level: 'error',
    ...settings,
  };
  const write = (over: Record<string, unknown>): void => writeFileSync(config, JSON.stringify({ ...whole, ...over })); // JSON is YAML
  write({});
  const { child, line, finished } = run('services/start.ts', ['--config', config], {
    env: { ...ROUTER_ENV, ...env },
    descriptors,
  });
  let log = '';
  child.stderr!.on('data', (chunk) => (log += String(chunk)));
  const banner = await line(/^ {2}router\s/);
  return {
    pid: child.pid!,
    log: () => log,
    address: banner.trim().split(/\s+/)[1]!,
    adminAddress,
    httpAddress: whole.http_listen === 'off' ? '' : /\/\/(.*)\//.exec(await line(/Dashboard:/))![1]!,
    cpuMs: () => {
      const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
      // utime and stime, in hundredths of a second; see proc(5).
      const [utime, stime] = stat
        .slice(stat.lastIndexOf(')') + 2)
        .split(' ')
        .slice(11, 13);
      return (Number(utime) + Number(stime)) * 10;
    },
    rssBytes: () => {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1_024;
    },
    reload: (over) => {
      if (typeof over === 'string') writeFileSync(config, over);
      else write(over);
      child.kill('SIGHUP');
    },
    stop: async () => {
      child.kill('SIGTERM');
      return (await finished).code;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
