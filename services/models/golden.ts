// Known inputs with their digests (`golden` of model.yaml), against which an engine's answers are held.
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { readRegularFile } from '../config/regular-file.ts';

const MAX_GOLDEN_BYTES = 64 * 1024 * 1024;

export interface GoldenCase {
  /** What people call it; may be empty. */
  readonly name: string;
  /** Little-endian binary32 of one constant input. */
  readonly data: Buffer;
  readonly stateDigest: bigint;
  /** Undefined in files that do not have it. */
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
      state_digest: digest,
      readout_digest: digest.optional(),
    }),
  ),
});

/** Empty where there are none for this version. Throws an error that names the file. */
export function readGolden(folder: string, file: string | undefined, version: number): readonly GoldenCase[] {
  if (file === undefined) return [];
  const path = join(folder, file);
  if (basename(file) !== file || !existsSync(path))
    throw new Error(`model.yaml: golden: there is no "${file}" beside it`);
  try {
    const golden = schema.parse(JSON.parse(readRegularFile(path, MAX_GOLDEN_BYTES).toString()));
    if (golden.model_version !== version) return [];
    return golden.cases.map(({ name, encoding_f32_base64, state_digest, readout_digest }) => ({
      name,
      data: Buffer.from(encoding_f32_base64, 'base64'),
      stateDigest: state_digest,
      readoutDigest: readout_digest,
    }));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error).split('\n')[0] : (error as Error).message;
    throw new Error(`${file}: ${why}`, { cause: error });
  }
}
