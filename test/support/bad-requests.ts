// Calls that must fail through their caller's own fault.
import * as grpc from '@grpc/grpc-js';
import {
  ReasonRequest,
  ReasonResponse,
  ReasoningServiceService,
} from '../../services/generated/tandem/v1/reasoning.ts';
import { CacheMode } from '../../services/generated/tandem/v1/types.ts';
import { Random } from '../fuzz/random.ts';

const WIDTH = 768;

/** The kinds of bad requests. */
export const BAD_KINDS = [
  'wrong length',
  'not a number',
  'unknown model',
  'bad dtype',
  'garbage bytes',
  'damaged bytes',
  'deadline passed',
  'cancelled',
] as const;

export type BadKind = (typeof BAD_KINDS)[number];

/** The status codes that each kind may have. A request that ends before it is cancelled may succeed. */
export const EXPECTED: Readonly<Record<BadKind, readonly string[]>> = {
  'wrong length': ['INVALID_ARGUMENT'],
  'not a number': ['INVALID_ARGUMENT'],
  'unknown model': ['NOT_FOUND'],
  'bad dtype': ['INVALID_ARGUMENT'],
  'garbage bytes': ['INVALID_ARGUMENT', 'NOT_FOUND'],
  'damaged bytes': ['INVALID_ARGUMENT', 'NOT_FOUND', 'OUT_OF_RANGE', 'OK'],
  // RESOURCE_EXHAUSTED: if all engines are busy, a caller with a deadline that is too short is refused at once.
  'deadline passed': ['DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'OK'],
  cancelled: ['CANCELLED', 'OK'],
};

export class BadCaller {
  readonly #client: grpc.Client;
  readonly #random: Random;
  readonly #inputs: readonly { readonly data: Buffer }[];

  /** `inputs`: valid ones, which it makes invalid. */
  constructor(client: grpc.Client, inputs: readonly { readonly data: Buffer }[], seed = 1) {
    this.#client = client;
    this.#inputs = inputs;
    this.#random = new Random(seed);
  }

  /** Resolves with the name of the call's status. */
  async send(kind: BadKind): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    // One millisecond usually passes before an engine has answered. A deadline in the past would fail in the client.
    const deadline = kind === 'deadline passed' ? Date.now() + 1 : Infinity;
    const call = this.#client.makeUnaryRequest(
      ReasoningServiceService.reason.path,
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => ReasonResponse.decode(bytes),
      this.#bytes(kind),
      { deadline },
      (error) => resolve(grpc.status[error?.code ?? grpc.status.OK]),
    );
    if (kind === 'cancelled') setImmediate(() => call.cancel());
    return await promise;
  }

  #bytes(kind: BadKind): Buffer {
    const { data } = this.#random.pick(this.#inputs);
    const encode = (over: Partial<ReasonRequest>): Buffer => {
      const tensor = { shape: [WIDTH], dtype: 'FP32', data };
      const request = ReasonRequest.fromPartial({ tensor, cache: CacheMode.CACHE_MODE_BYPASS, ...over });
      return Buffer.from(ReasonRequest.encode(request).finish());
    };
    switch (kind) {
      case 'wrong length':
        return encode({ tensor: { shape: [WIDTH - 1], dtype: 'FP32', data: data.subarray(4) } });
      case 'not a number': {
        const spoilt = Buffer.from(data);
        spoilt.writeFloatLE(NaN, 4 * this.#random.integer(0, WIDTH - 1));
        return encode({ tensor: { shape: [WIDTH], dtype: 'FP32', data: spoilt } });
      }
      case 'unknown model':
        return encode({ model: 'nobody' });
      case 'bad dtype':
        return encode({ tensor: { shape: [WIDTH], dtype: 'FP16', data } });
      case 'garbage bytes':
        return Buffer.from(this.#random.list(this.#random.integer(1, 200), () => this.#random.integer(0, 255)));
      case 'damaged bytes': {
        const bytes = encode({});
        bytes[this.#random.integer(0, 31)] = this.#random.integer(0, 255); // these errors name their fields
        return bytes;
      }
      case 'deadline passed':
      case 'cancelled':
        return encode({});
    }
  }
}
