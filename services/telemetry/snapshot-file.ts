// Keeps the counters over a restart: all counts are in one file that is written at intervals. A crash leaves the
// complete old file or the complete new one: the new one is written beside the old one, flushed to the disk, and
// renamed. An invalid file is renamed and reported. It is never used, and never prevents the start.
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { BOUNDS_S } from './latency.ts';
import type { Meter, SavedMeter } from './meter.ts';

interface SnapshotFileOptions {
  readonly file: string;
  readonly intervalMs: number;
  /** Called for a file that was renamed, and for the first write that fails after a success. */
  readonly onProblem: (error: Error) => void;
}

const FORMAT = 'tandem-metrics';
const VERSION = 1;
/** Ten times the size with the fullest tables. */
const MAX_BYTES = 64 * 1_048_576;
const OWNER_ONLY = 0o600;

const count = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
const counts = z.record(z.string().max(256), count);
const name = z.string().max(1_024);
const latencies = z.strictObject({
  sumNs: z.number().min(0),
  minNs: z.number().min(0),
  maxNs: z.number().min(0),
  buckets: z.array(count).length(BOUNDS_S.length + 1),
  fine: z.array(count).max(20_000),
});
const agents = z.strictObject({
  methods: z.array(z.strictObject({ method: name, answered: count, fallbacks: counts })).max(64),
  callers: z
    .array(
      z.strictObject({
        ...{ caller: name, requests: count, promptTokens: count, completionTokens: count, usd: z.number().min(0) },
      }),
    )
    .max(256),
});
const bodySchema: z.ZodType<SavedMeter> = z.strictObject({
  metrics: z.strictObject({
    sinceMs: z.number(),
    types: z.array(z.strictObject({ type: name, errors: counts, latencies })).max(64),
    strategies: counts,
    engines: z
      .array(
        z.strictObject({ id: name, failed: count, others: count, late: count.default(0), dissents: count, latencies }),
      )
      .max(512),
    models: z
      .array(
        z.strictObject({
          ...{ model: name, version: count, requests: count, inferences: count },
          ...{ computeUs: count, synapticOperations: count, spikes: count },
        }),
      )
      .max(256),
    cache: counts,
    votes: counts,
    // Fields that files of earlier versions do not have:
    shed: counts.default({}),
    agents: agents.default({ methods: [], callers: [] }),
  }),
  totals: z.strictObject({ evictions: count, connections: count, spansDropped: count }),
});

export class SnapshotFile {
  readonly #meter: Meter;
  readonly #options: SnapshotFileOptions;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #isFailing = false;

  constructor(meter: Meter, options: SnapshotFileOptions) {
    this.#meter = meter;
    this.#options = options;
  }

  /**
   * Continues the counts of the last run, and writes the file at intervals from now on. Call this before anything is
   * counted.
   */
  async start(): Promise<void> {
    await this.#load();
    this.#timer = setInterval(() => void this.save(), this.#options.intervalMs).unref();
  }

  /** Writes the file once more. */
  async stop(): Promise<void> {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    await this.#writing; // its counts are older than the present ones
    await this.save();
  }

  /** Never rejects. */
  save(): Promise<void> {
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
    return this.#writing;
  }

  async #write(): Promise<void> {
    const { file, onProblem } = this.#options;
    try {
      await mkdir(dirname(file), { recursive: true });
      const beside = await open(`${file}.new`, 'w', OWNER_ONLY);
      try {
        await beside.writeFile(toText(this.#meter.save()));
        await beside.sync();
      } finally {
        await beside.close();
      }
      await rename(`${file}.new`, file);
      await syncFolder(dirname(file)); // otherwise a power failure may lose the new name
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) onProblem(new Error(`cannot write ${file}: ${(error as Error).message}`, { cause: error }));
      this.#isFailing = true;
    }
  }

  async #load(): Promise<void> {
    const { file, onProblem } = this.#options;
    try {
      const { size } = await stat(file);
      if (size > MAX_BYTES) throw new Error(`it has ${size} bytes, more than the ${MAX_BYTES} that one can have`);
      this.#meter.restore(fromText(await readFile(file, 'utf8')));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return;
      const aside = `${file}.damaged`;
      const moved = await rename(file, aside).then(
        () => `it was renamed to ${aside}`,
        (why: unknown) => `and it cannot be renamed: ${String(why)}`,
      );
      onProblem(new Error(`${file} is not used: ${message}; ${moved}; counting starts at 0`, { cause: error }));
    }
  }
}

/** A header line with the format and a checksum; then the counts as one line of JSON. */
function toText(saved: SavedMeter): string {
  const body = JSON.stringify(saved);
  return `${JSON.stringify({ format: FORMAT, version: VERSION, sha256: hash(body) })}\n${body}\n`;
}

/** Throws an Error with the fault. */
function fromText(text: string): SavedMeter {
  const [head = '', body = ''] = text.split('\n', 2);
  let header: { format?: unknown; version?: unknown; sha256?: unknown } | null;
  try {
    header = JSON.parse(head) as typeof header;
  } catch {
    throw new Error('it is not a metrics file');
  }
  if (header?.format !== FORMAT) throw new Error('it is not a metrics file');
  if (header.version !== VERSION) {
    throw new Error(`it has version ${String(header.version)}, and this router reads ${VERSION}`);
  }
  if (header.sha256 !== hash(body)) throw new Error('its checksum is wrong: it is damaged or was edited');
  const parsed = bodySchema.safeParse(JSON.parse(body));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`${issue?.path.join('.')}: ${issue?.message}`);
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
