// A folder for the Unix sockets of the sidecars that a router starts. It is private to the user and to this router.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class EngineSockets {
  #folder: string | undefined;

  /** Created at the first use. Throws if it cannot be created. */
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
