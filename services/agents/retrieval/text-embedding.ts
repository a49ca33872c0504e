// Turns a text into a vector of integers: the mean of its tokens' vectors, which are the weights of the node
// "embedding" of a text model. Integers give the same result on every machine.
import { createHash } from 'node:crypto';
import { RouterError } from '../../core/errors.ts';

const LARGEST = 127;
const ID_DIGITS = 32;

export interface TokenVectors {
  readonly dimensions: number;
  /** The vectors of all tokens, concatenated. */
  readonly values: Int8Array;
}

interface Encoder {
  encode(text: string): readonly number[];
}

export class TextEmbedding {
  readonly dimensions: number;
  readonly #values: Int8Array;
  readonly #encoder: Encoder;
  readonly #sum: Int32Array;
  #id: string | undefined;

  constructor({ dimensions, values }: TokenVectors, encoder: Encoder) {
    this.dimensions = dimensions;
    this.#values = values;
    this.#encoder = encoder;
    this.#sum = new Int32Array(dimensions);
  }

  /** A hash of the token vectors: stored vectors of another embedding cannot be compared with this one's. */
  get id(): string {
    return (this.#id ??= createHash('sha256').update(this.#values).digest('hex').slice(0, ID_DIGITS));
  }

  /** Writes the vector, scaled so that its largest element is 127 or -127, to `to`. A text without tokens gives zeros. */
  embed(text: string, to: Int8Array): void {
    const sum = this.#sum.fill(0);
    const { dimensions } = this;
    for (const id of this.#tokens(text)) {
      const from = id * dimensions;
      for (let k = 0; k < dimensions; k += 1) sum[k]! += this.#values[from + k]!;
    }
    let largest = 1;
    for (let k = 0; k < dimensions; k += 1) largest = Math.max(largest, Math.abs(sum[k]!));
    for (let k = 0; k < dimensions; k += 1) to[k] = Math.round((sum[k]! * LARGEST) / largest);
  }

  #tokens(text: string): readonly number[] {
    try {
      return this.#encoder.encode(text);
    } catch (error) {
      if (error instanceof RouterError && error.kind === 'TEXT_EMPTY') return [];
      throw error;
    }
  }
}
