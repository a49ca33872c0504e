// Parses the JSON of an inference request: a short body at once; a long one in a thread, since 4 MB can take a second. Long ones are
// parsed one at a time, and callers take turns.
import { deadlinePassed, throwIfCancelled } from '../../core/call.ts';
import { RouterError } from '../../core/errors.ts';
import { FairQueue } from '../../core/fair-queue.ts';
import type { CallContext } from '../../core/inference.ts';
import { IdleThread } from '../../engines/local/idle-thread.ts';
import { ModelInferRequest } from '../../generated/inference/grpc_service.ts';
import { checking, refusing } from '../decoding.ts';
import { invalid } from './errors.ts';
import { type ParsedInfer, parseInfer, splitBody } from './http-json.ts';
import { checkModelInfer } from './limits.ts';

export interface UnparsedInfer {
  readonly body: Uint8Array;
  /** See splitBody. */
  readonly headerBytes: number;
  /** Of the model. */
  readonly name: string;
  readonly version: string;
}

/** What the thread returns. */
export type ThreadParsed =
  /** `request`: encoded. */
  | (Omit<ParsedInfer, 'request'> & { readonly request: Uint8Array<ArrayBuffer> })
  | { readonly field: string; readonly message: string };

const decode = refusing(checking(checkModelInfer, (bytes) => ModelInferRequest.decode(bytes)));

type Limits = Pick<CallContext, 'deadlineMs' | 'signal'>;

/** A body of this size takes a millisecond at most. */
const SHORT_BYTES = 32_768;

export class JsonParser {
  readonly #waiting = new FairQueue<() => void>();
  readonly #thread = new IdleThread<UnparsedInfer, ThreadParsed>(new URL('./json-thread.ts', import.meta.url));
  #isBusy = false;

  /** Rejects with INVALID_FIELD, or as the limits say. `owner`: the caller. */
  async parse(unparsed: UnparsedInfer, owner: object | undefined, limits: Limits): Promise<ParsedInfer> {
    const { body, headerBytes, name, version } = unparsed;
    const jsonBytes = Number.isNaN(headerBytes) ? body.length : Math.min(headerBytes, body.length);
    if (jsonBytes <= SHORT_BYTES) return parseInfer(splitBody(body, headerBytes), name, version);
    if (this.#isBusy) await new Promise<void>((resolve) => this.#waiting.push(owner, resolve));
    this.#isBusy = true;
    try {
      throwIfCancelled(limits);
      if (performance.now() >= limits.deadlineMs) throw deadlinePassed('the JSON was parsed');
      return await this.#parse(unparsed);
    } finally {
      this.#next();
    }
  }

  async #parse(unparsed: UnparsedInfer): Promise<ParsedInfer> {
    const parsed = await this.#thread.ask(unparsed).catch((cause: unknown) => {
      throw new RouterError('INTERNAL', 'the thread that parsed the JSON has ended; try again', { cause });
    });
    if ('field' in parsed) throw invalid(parsed.field, parsed.message);
    const request = decode(Buffer.from(parsed.request.buffer));
    if (request instanceof RouterError) throw request;
    return { request, binaryOutputs: parsed.binaryOutputs };
  }

  #next(): void {
    const next = this.#waiting.shift();
    this.#isBusy = next !== undefined;
    next?.();
  }
}
