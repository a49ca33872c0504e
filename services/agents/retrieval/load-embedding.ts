// Loads the embedding for retrieval from the model that takes text.
import { join } from 'node:path';
import { readRegularFile } from '../../config/regular-file.ts';
import type { ModelRepository } from '../../models/repository.ts';
import { TextEmbedding } from './text-embedding.ts';
import { tokenVectors } from './token-vectors.ts';

const MAX_NIR_BYTES = 256 * 1024 * 1024;

/** Undefined: no model of the repository takes text, or its vectors do not fit int8 exactly. */
export function loadTextEmbedding(modelsDir: string, models: ModelRepository): TextEmbedding | undefined {
  const model = models.textVersion;
  if (model?.tokenizer === undefined) return undefined;
  const nir = readRegularFile(join(modelsDir, model.name, String(model.version), 'model.nir'), MAX_NIR_BYTES);
  const vectors = tokenVectors(nir, model.tokenizer.size);
  return vectors && new TextEmbedding(vectors, model.tokenizer);
}
