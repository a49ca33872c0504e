// The administrative socket where setting `admin.listen` names none: the router listens there, and its clients look there.
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from './environment.ts';

/** `address`: of the router, "host:port" or "unix:PATH". Returns "unix:PATH", which differs between routers of one machine. */
export function defaultAdminSocket(address: string, env: Environment = process.env): string {
  const port = /:(\d+)$/.exec(address)?.[1];
  const name = port ?? createHash('sha256').update(address).digest('hex').slice(0, 16);
  return `unix:${join(folder(env), `router-${name}.sock`)}`;
}

function folder({ XDG_RUNTIME_DIR: runtime }: Environment): string {
  // It is inherited where it does not belong: by su, and by containers.
  const isOurs = runtime !== undefined && statSync(runtime, { throwIfNoEntry: false })?.uid === process.getuid?.();
  return isOurs ? join(runtime, 'tandem') : join(homedir(), '.tandem', 'run');
}
