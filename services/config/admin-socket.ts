// The default administrative socket if setting `admin.listen` names none. The router listens there, and clients look
// there.
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from './environment.ts';

/**
 * `address`: of the router, "host:port" or "unix:PATH". Returns "unix:PATH", which is different for each router on a
 * machine.
 */
export function defaultAdminSocket(address: string, env: Environment = process.env): string {
  const port = /:(\d+)$/.exec(address)?.[1];
  const name = port ?? createHash('sha256').update(address).digest('hex').slice(0, 16);
  return `unix:${join(folder(env), `router-${name}.sock`)}`;
}

function folder({ XDG_RUNTIME_DIR: runtime }: Environment): string {
  // The variable may be inherited from another user, by su or in a container.
  const isOurs = runtime !== undefined && statSync(runtime, { throwIfNoEntry: false })?.uid === process.getuid?.();
  return isOurs ? join(runtime, 'tandem') : join(homedir(), '.tandem', 'run');
}
