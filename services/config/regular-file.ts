// Reads a file from a folder that others may write to. Pipes and devices are refused: opening a pipe may block, and a
// device may never end.
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** Throws if it is not a regular file of at most `maxBytes`; with `code` ENOENT if it does not exist. */
export function readRegularFile(path: string, maxBytes: number): Buffer {
  const file = open(path);
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new Error(`${path} is not a regular file; replace it, or remove it`);
    if (stats.size > maxBytes) throw new Error(`${path} is larger than the limit of ${maxBytes} bytes`);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

function open(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw error;
    throw Object.assign(new Error(`there is no file ${path}`, { cause: error }), { code });
  }
}
