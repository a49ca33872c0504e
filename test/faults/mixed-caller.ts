// A caller that uses every strategy in turn, including votes and batches.
import * as grpc from '@grpc/grpc-js';
import {
  ReasonBatchRequest,
  type ReasonBatchResponse,
  type ReasonError,
  ReasonRequest,
  type ReasonResponse,
  ReasoningServiceClient,
} from '../../services/generated/tandem/v1/reasoning.ts';
import { Status } from '../../services/generated/google/rpc/status.ts';
import { ErrorInfo } from '../../services/generated/google/rpc/error_details.ts';
import { CacheMode, Strategy } from '../../services/generated/tandem/v1/types.ts';
import { readRefusal } from '../support/refusal.ts';
import type { Caller } from './stage.ts';

/** Of 20 requests two are votes, and one is a batch. */
const TURNS = [
  ...[
    'ROUND_ROBIN',
    'FASTEST',
    'HEDGED',
    'REDUNDANT',
    'LOCAL_FIRST',
    'ROUND_ROBIN',
    'FASTEST',
    'HEDGED',
    'ROUND_ROBIN',
  ],
  ...['BATCH', 'ROUND_ROBIN', 'FASTEST', 'HEDGED', 'REDUNDANT', 'SIDECAR_FIRST', 'ROUND_ROBIN', 'FASTEST', 'HEDGED'],
  ...['AFFINITY', 'ROUND_ROBIN'],
] as const;
type Turn = (typeof TURNS)[number];
const BATCH_ITEMS = 4;

export class MixedCaller implements Caller {
  /** Failures by strategy and reason: "REDUNDANT ROUTER_FULL". */
  readonly failed: Record<string, number> = {};
  /** The first message of each of these. */
  readonly messages: Record<string, string> = {};
  readonly #client: ReasoningServiceClient;
  #turn = 0;

  constructor(address: string) {
    const own = { 'grpc.use_local_subchannel_pool': 1 };
    this.#client = new ReasoningServiceClient(address, grpc.credentials.createInsecure(), own);
  }

  async reason(request: Partial<ReasonRequest>, options: grpc.CallOptions = {}): Promise<ReasonResponse> {
    const turn = TURNS[this.#turn++ % TURNS.length]!;
    try {
      return await (turn === 'BATCH' ? this.#batch(request, options) : this.#single(turn, request, options));
    } catch (error) {
      const { reason, code, message } = readRefusal(error as grpc.ServiceError);
      const name = `${turn} ${reason || code}`;
      this.failed[name] = (this.failed[name] ?? 0) + 1;
      this.messages[name] ??= message;
      throw error;
    }
  }

  close(): void {
    this.#client.close();
  }

  #single(
    turn: Exclude<Turn, 'BATCH'>,
    request: Partial<ReasonRequest>,
    options: grpc.CallOptions,
  ): Promise<ReasonResponse> {
    const whole = ReasonRequest.fromPartial({ ...PAST_CACHE, ...request, strategy: Strategy[`STRATEGY_${turn}`] });
    return new Promise((resolve, reject) => {
      this.#client.reason(whole, new grpc.Metadata(), options, (error, response) =>
        error === null ? resolve(response) : reject(error),
      );
    });
  }

  /** Resolves with the first answer, if every item has one. */
  async #batch(request: Partial<ReasonRequest>, options: grpc.CallOptions): Promise<ReasonResponse> {
    const requests = Array.from({ length: BATCH_ITEMS }, () => ({ ...PAST_CACHE, ...request }));
    const { results } = await new Promise<ReasonBatchResponse>((resolve, reject) => {
      this.#client.reasonBatch(
        ReasonBatchRequest.fromPartial({ requests }),
        new grpc.Metadata(),
        options,
        (error, response) => (error === null ? resolve(response) : reject(error)),
      );
    });
    const answers = results.map(({ outcome }) => {
      if (outcome?.$case === 'result') return outcome.value;
      throw toServiceError(outcome?.value);
    });
    return answers[0]!;
  }
}

const PAST_CACHE = { cache: CacheMode.CACHE_MODE_BYPASS };

/** The error that a call for that item alone would have had. */
function toServiceError(error: ReasonError | undefined): Error {
  const { code = grpc.status.UNKNOWN, reason = '', message = 'a result without an outcome' } = error ?? {};
  const metadata = new grpc.Metadata();
  const info = ErrorInfo.encode(ErrorInfo.fromPartial({ reason })).finish();
  const detail = { typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value: info };
  const status = Status.encode(Status.fromPartial({ code, message, details: [detail] })).finish();
  metadata.set('grpc-status-details-bin', Buffer.from(status));
  return Object.assign(new Error(message), { code, details: message, metadata });
}
