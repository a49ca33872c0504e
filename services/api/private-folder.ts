// A folder for a socket that only its owner may reach. The folder's mode protects it, whatever the mode of the socket.
import { lstatSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { cannotListen } from './socket-path.ts';

const OTHERS = 0o077;

/** Creates the folder of the socket if it is missing. Throws if another user may enter it. */
export function makePrivateFolder(listen: string, path: string): void {
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw cannotListen(
      listen,
      `${(error as Error).message}; set "admin.listen" to a socket in another folder, or "off"`,
    );
  }
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw cannotListen(listen, `${folder} is not a folder of this user; set "admin.listen" to a socket in another one`);
  }
  if ((found.mode & OTHERS) === 0) return;
  const advice = `run "chmod 700 ${folder}", or set "admin.listen" to a socket in another folder`;
  throw cannotListen(listen, `other users may enter ${folder}; ${advice}`);
}
