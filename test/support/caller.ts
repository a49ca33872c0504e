// Somebody who asks a router, over a connection of their own, and wants each answer computed.
import * as grpc from '@grpc/grpc-js';
import {
  ReasonRequest,
  type ReasonResponse,
  ReasoningServiceClient,
} from '../../services/generated/tandem/v1/reasoning.ts';
import { CacheMode } from '../../services/generated/tandem/v1/types.ts';

export interface Caller {
  /** One Reason call, past the cache unless it says otherwise; rejects with the client library's error. */
  reason(request: Partial<ReasonRequest>, options?: grpc.CallOptions): Promise<ReasonResponse>;
  close(): void;
}

/** `seen` is told of every error. */
export function callRouter(address: string, seen: (error: grpc.ServiceError) => void = () => undefined): Caller {
  const own = { 'grpc.use_local_subchannel_pool': 1 };
  const client = new ReasoningServiceClient(address, grpc.credentials.createInsecure(), own);
  return {
    reason: (request, options = {}) =>
      new Promise((resolve, reject) => {
        const whole = ReasonRequest.fromPartial({ cache: CacheMode.CACHE_MODE_BYPASS, ...request });
        client.reason(whole, new grpc.Metadata(), options, (error, response) => {
          if (error === null) {
            resolve(response);
          } else {
            seen(error);
            reject(error);
          }
        });
      }),
    close: () => client.close(),
  };
}
