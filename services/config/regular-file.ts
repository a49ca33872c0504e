// Reads a file of a folder that others may fill. Opening a pipe would wait until something writes to it, and a device may
// never end: neither is read.
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** Throws where it is not a regular file of at most `maxBytes`. */
export function readRegularFile(path: string, maxBytes: number): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new Error(`${path} is not a regular file; replace it, or remove it`);
    if (stats.size > maxBytes) throw new Error(`${path} is larger than the limit of ${maxBytes} bytes`);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}
