// An append-only file with rotation: FILE, FILE.1, FILE.2, …
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Records contain callers' data. */
const OWNER_ONLY = 0o600;
const LINE_END = 10;

interface RotationOptions {
  readonly file: string;
  /** Maximum size of each file; a longer line gets its own file. */
  readonly maxBytes: number;
  /** Number of files, at least 1. */
  readonly files: number;
}

/** One call at a time. After a failure, the next call opens the file again. */
export class RotatingFile {
  readonly #options: RotationOptions;
  #handle: FileHandle | undefined;
  #bytes = 0;
  /** The last line of the file is incomplete: a write failed, or a process died. */
  #isTorn = false;

  constructor(options: RotationOptions) {
    this.#options = options;
  }

  /** `line` ends with a line break. Rejects with the file system's error. */
  async append(line: string): Promise<void> {
    try {
      let handle = this.#handle ?? (await this.#open());
      const length = Buffer.byteLength(line);
      if (this.#bytes > 0 && this.#bytes + length > this.#options.maxBytes) handle = await this.#rotate(handle);
      const text = this.#isTorn ? `\n${line}` : line;
      await handle.appendFile(text);
      this.#bytes += text.length === line.length ? length : length + 1;
      this.#isTorn = false;
    } catch (error) {
      await this.close().catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  async #open(): Promise<FileHandle> {
    const { file } = this.#options;
    await mkdir(dirname(file), { recursive: true });
    const handle = await open(file, 'a+', OWNER_ONLY);
    this.#handle = handle;
    this.#bytes = (await handle.stat()).size;
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(1), 0, 1, Math.max(0, this.#bytes - 1));
    this.#isTorn = bytesRead === 1 && buffer[0] !== LINE_END;
    return handle;
  }

  async #rotate(handle: FileHandle): Promise<FileHandle> {
    const { file, files } = this.#options;
    this.#handle = undefined;
    await handle.close();
    const name = (age: number): string => (age === 0 ? file : `${file}.${age}`);
    await rm(name(files - 1), { force: true });
    for (let age = files - 2; age >= 0; age -= 1) await rename(name(age), name(age + 1)).catch(unlessMissing);
    return await this.#open();
  }
}

function unlessMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
