// Golden vectors (`golden` of model.yaml): known inputs with the digests that an engine must return.
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { readRegularFile } from '../config/regular-file.ts';
import { hex64 } from '../core/hex.ts';

const MAX_GOLDEN_BYTES = 64 * 1024 * 1024;

export interface GoldenCase {
  /** Name for people; may be empty. */
  readonly name: string;
  /** Little-endian binary32. */
  readonly data: Buffer;
  /** Undefined: one constant input. */
  readonly shape: readonly number[] | undefined;
  readonly stateDigest: bigint;
  /** Undefined if the file does not have it. */
  readonly readoutDigest: bigint | undefined;
}

const digest = z
  .string()
  .regex(/^[0-9a-f]{16}$/)
  .transform((hex) => BigInt(`0x${hex}`));

const schema = z.object({
  model_version: z.int().min(1),
  cases: z.array(
    z.object({
      name: z.string().default(''),
      encoding_f32_base64: z.base64(),
      shape: z.array(z.int().min(1)).min(1).max(64).optional(),
      state_digest: digest,
      readout_digest: digest.optional(),
    }),
  ),
});

/** Name of a version's own file beside its model.nir, which replaces the file in the manifest. */
const OWN_FILE = 'golden.json';

/** Empty if there are none for this version. Throws an error that names the file. */
export function readGolden(
  { path: folder, versionPath, version }: { path: string; versionPath: string; version: number },
  file: string | undefined,
): readonly GoldenCase[] {
  const own = join(versionPath, OWN_FILE);
  if (existsSync(own)) return readCases(own, OWN_FILE, version);
  if (file === undefined) return [];
  const path = join(folder, file);
  if (basename(file) !== file || !existsSync(path))
    throw new Error(`model.yaml: golden: there is no "${file}" beside it`);
  return readCases(path, file, version);
}

/** The content of a golden file. */
export function goldenText(version: number, cases: readonly GoldenCase[]): string {
  const written = cases.map(({ name, data, shape, stateDigest, readoutDigest }) => ({
    name,
    encoding_f32_base64: data.toString('base64'),
    shape,
    state_digest: hex64(stateDigest),
    readout_digest: readoutDigest === undefined ? undefined : hex64(readoutDigest),
  }));
  return `${JSON.stringify({ model_version: version, cases: written }, null, 1)}\n`;
}

function readCases(path: string, file: string, version: number): readonly GoldenCase[] {
  try {
    const golden = schema.parse(JSON.parse(readRegularFile(path, MAX_GOLDEN_BYTES).toString()));
    if (golden.model_version !== version) return [];
    return golden.cases.map(({ name, encoding_f32_base64, shape, state_digest, readout_digest }) => ({
      name,
      data: Buffer.from(encoding_f32_base64, 'base64'),
      shape,
      stateDigest: state_digest,
      readoutDigest: readout_digest,
    }));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error).split('\n')[0] : (error as Error).message;
    throw new Error(`${file}: ${why}`, { cause: error });
  }
}
