// Converts text to a model's input (proto/NUMERICS.md, "Text"). The router does this for every client, so all get the
// same tokens.
import * as tokenizers from '@huggingface/tokenizers';
import { basename, join } from 'node:path';
import xxhash from 'xxhash-wasm';
import { z } from 'zod';
import { readRegularFile } from '../config/regular-file.ts';
import { RouterError } from '../core/errors.ts';

/** Longest text, bytes of UTF-8. */
export const MAX_TEXT_BYTES = 8_192;

const MAX_FILE_BYTES = 16 * 1024 * 1024;

// Only the kind described in NUMERICS.md: others may need more files, or a regular expression that never ends.
const schema = z.object({
  normalizer: z.object({ type: z.literal('BertNormalizer') }).loose(),
  pre_tokenizer: z.object({ type: z.literal('BertPreTokenizer') }).loose(),
  post_processor: z.null().optional(),
  added_tokens: z.array(z.unknown()).max(0).default([]),
  model: z
    .object({ type: z.literal('WordPiece'), unk_token: z.string(), vocab: z.record(z.string(), z.int().min(0)) })
    .loose(),
});

/** The used part of the library, whose own type declarations do not resolve in an ES module. */
interface Library {
  encode(text: string, options: { readonly add_special_tokens: boolean }): { readonly ids: readonly number[] };
}
const { Tokenizer: Library } = tokenizers as unknown as { Tokenizer: new (file: object, config: object) => Library };

const { h64Raw } = await xxhash();

export class Tokenizer {
  /** Size of the vocabulary, which is the size of a model's input. */
  readonly size: number;
  /** XXH64 of the file. */
  readonly digest: bigint;
  readonly #library: Library;

  /** `file`: the bytes of a tokenizer.json. Throws an error that names the key. */
  constructor(file: Uint8Array) {
    const parsed = parse(file);
    const { vocab, unk_token: unknown } = parsed.model;
    const ids = Object.values(vocab);
    this.size = ids.length;
    if (new Set(ids).size !== this.size || ids.some((id) => id >= this.size)) {
      throw new Error(`model.vocab: its ${this.size} ids must be 0 to ${this.size - 1}, each once`);
    }
    if (!Object.hasOwn(vocab, unknown)) throw new Error(`model.unk_token: "${unknown}" is not in model.vocab`);
    this.digest = h64Raw(file);
    // The library requires these, too; nothing is decoded or added.
    this.#library = new Library({ ...parsed, post_processor: null, decoder: null }, {});
  }

  /** The share of each token in `text`, little-endian binary32. Throws TEXT_TOO_LONG or TEXT_EMPTY. */
  bag(text: string): Buffer {
    const ids = this.encode(text);
    const data = Buffer.alloc(this.size * 4);
    const counts = new Map<number, number>();
    for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
    for (const [id, count] of counts) data.writeFloatLE(count / ids.length, id * 4);
    return data;
  }

  /** The ids of the text's tokens, in order; at least one. Throws TEXT_TOO_LONG or TEXT_EMPTY. */
  encode(text: string): readonly number[] {
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_TEXT_BYTES) {
      const message = `the text has ${bytes} bytes, the limit is ${MAX_TEXT_BYTES}; send a shorter one, or parts of it`;
      throw new RouterError('TEXT_TOO_LONG', message, { field: 'text' });
    }
    const { ids } = this.#library.encode(text.normalize('NFKC'), { add_special_tokens: false });
    if (ids.length === 0) {
      throw new RouterError('TEXT_EMPTY', 'the text has no words; send at least one', { field: 'text' });
    }
    return ids;
  }
}

/** `file`: in a model's folder, from the manifest. Throws an error that names the file. */
export function readTokenizer(folder: string, file: string | undefined): Tokenizer | undefined {
  if (file === undefined) return undefined;
  try {
    return new Tokenizer(readTokenizerFile(folder, file));
  } catch (error) {
    throw new Error(`model.yaml: tokenizer: ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** Throws an error with the reason if it cannot be read. */
export function readTokenizerFile(folder: string, file: string): Uint8Array {
  if (basename(file) !== file) throw new Error(`"${file}" is not a file beside it`);
  return readRegularFile(join(folder, file), MAX_FILE_BYTES);
}

function parse(file: Uint8Array): z.output<typeof schema> {
  const result = schema.safeParse(JSON.parse(Buffer.from(file).toString()));
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw new Error(`${issue.path.join('.')}: ${issue.message}`);
}
