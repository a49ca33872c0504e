// The log file of a student: records are appended, and synced to disk before they are used; the whole file is read at
// start.
import { type FileHandle, open } from 'node:fs/promises';
import {
  CHECKSUM_BYTES,
  HEAD_BYTES,
  type LogRecord,
  MAGIC,
  MAX_PAYLOAD_BYTES,
  decodeRecord,
  encodeRecord,
} from './log-record.ts';
import { xxh64 } from '../engines/xxh64.ts';
import type { StudentSpec } from './learner.ts';

/** The file is damaged, changed, or not a log. */
export class LogError extends Error {}

/** Records in memory before they are written, bytes. */
const MAX_PENDING_BYTES = 262_144;

interface LogEnd {
  /** Length of the complete records, bytes. */
  readonly length: number;
  readonly checksum: bigint;
}

/**
 * Passes on every complete record in order, and returns their end. Ignores an incomplete last record, as a crash leaves
 * it; throws LogError for any other damage.
 */
export async function readLog(
  file: FileHandle,
  onRecord: (record: LogRecord) => void | Promise<void>,
): Promise<LogEnd> {
  const { size } = await file.stat();
  let [length, checksum]: [number, bigint] = [MAGIC.length, 0n];
  let spec: StudentSpec | undefined;
  if (size < MAGIC.length) return { length: 0, checksum };
  if (!(await read(file, 0, MAGIC.length)).equals(MAGIC)) throw new LogError('is not a learning log');
  while (size - length >= HEAD_BYTES + CHECKSUM_BYTES) {
    const payloadBytes = (await read(file, length, 4)).readUInt32LE(0);
    const bytes = HEAD_BYTES + payloadBytes + CHECKSUM_BYTES;
    if (payloadBytes > MAX_PAYLOAD_BYTES || length + bytes > size) break;
    const whole = await read(file, length, bytes);
    const end = HEAD_BYTES + payloadBytes;
    const sum = xxh64(whole.subarray(4, end), checksum);
    if (whole.readBigUInt64LE(end) !== sum) {
      if (length + bytes === size) break;
      throw new LogError(`is damaged at byte ${length}: restore it from a copy`);
    }
    let record: LogRecord;
    try {
      record = decodeRecord(whole.readUInt8(4), whole.subarray(HEAD_BYTES, end), spec);
    } catch (error) {
      throw new LogError(`has a record at byte ${length} that cannot be read: ${(error as Error).message}`);
    }
    if (record.kind === 'START') spec = record.spec;
    await onRecord(record);
    length += bytes;
    checksum = sum;
  }
  return { length, checksum };
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await file.read(bytes, at, length - at, position + at);
    if (bytesRead === 0) throw new LogError('became shorter while it was read');
    at += bytesRead;
  }
  return bytes;
}

/** For one writer; each call must have resolved before the next one. */
export class LogWriter {
  readonly #file: FileHandle;
  #length: number;
  #checksum: bigint;
  #pending: Buffer[] = [];
  #pendingBytes = 0;

  private constructor(file: FileHandle, { length, checksum }: LogEnd) {
    this.#file = file;
    this.#length = length;
    this.#checksum = checksum;
  }

  /** Opens or creates `path`, passes on its records, and truncates an incomplete last record. Rejects with LogError. */
  static async open(path: string, onRecord: (record: LogRecord) => void | Promise<void>): Promise<LogWriter> {
    const file = await open(path, 'a+', 0o600);
    try {
      const end = await readLog(file, onRecord);
      await file.truncate(end.length);
      const writer = new LogWriter(file, end);
      if (end.length === 0) {
        await writer.#write(MAGIC);
        await writer.sync();
      }
      return writer;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Size of the file, including bytes that are not written yet. */
  get length(): number {
    return this.#length + this.#pendingBytes;
  }

  /** The record is on disk after the next `sync`. */
  async append(record: LogRecord): Promise<void> {
    const { bytes, checksum } = encodeRecord(record, this.#checksum);
    this.#checksum = checksum;
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes >= MAX_PENDING_BYTES) await this.#flush();
  }

  /** Resolves when all appended records are on disk. */
  async sync(): Promise<void> {
    await this.#flush();
    await this.#file.datasync();
  }

  async close(): Promise<void> {
    try {
      await this.sync();
    } finally {
      await this.#file.close();
    }
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    if (bytes.length > 0) await this.#write(bytes);
  }

  async #write(bytes: Buffer): Promise<void> {
    let at = 0;
    while (at < bytes.length) at += (await this.#file.write(bytes, at)).bytesWritten;
    this.#length += bytes.length;
  }
}
