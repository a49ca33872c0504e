// A caller of a router with its own connection. It bypasses the cache.
import * as grpc from '@grpc/grpc-js';
import {
  ReasonRequest,
  type ReasonResponse,
  ReasoningServiceClient,
} from '../../services/generated/tandem/v1/reasoning.ts';
import { CacheMode } from '../../services/generated/tandem/v1/types.ts';

export interface Caller {
  /** One Reason call, which bypasses the cache by default. Rejects with the client library's error. */
  reason(request: Partial<ReasonRequest>, options?: grpc.CallOptions): Promise<ReasonResponse>;
  close(): void;
}

/** `seen` is called with every error. */
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
