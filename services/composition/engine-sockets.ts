// A folder for the Unix sockets of the sidecars that a router starts: no other user may enter it, and no other router has it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class EngineSockets {
  #folder: string | undefined;

  /** Made when it is asked for first. Throws where it cannot be made. */
  get folder(): string {
    try {
      this.#folder ??= mkdtempSync(join(tmpdir(), 'tandem-engines-'));
    } catch (cause) {
      const message = `cannot make a folder for the sockets of engines: ${(cause as Error).message}; set spawn.socket_dir`;
      throw new Error(message, { cause });
    }
    return this.#folder;
  }

  remove(): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }
}
