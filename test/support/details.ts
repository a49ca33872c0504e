// All of what an error carries in google.rpc details, beyond what `refusalOf` names.
import type * as grpc from '@grpc/grpc-js';
import { ErrorInfo, RetryInfo } from '../../services/generated/google/rpc/error_details.ts';
import { Status } from '../../services/generated/google/rpc/status.ts';

export interface Details {
  /** Of ErrorInfo. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Of RetryInfo; undefined where there is none. */
  readonly retryAfterMs: number | undefined;
}

export async function detailsOf(failing: Promise<unknown>): Promise<Details> {
  const error = await failing.then(
    () => undefined,
    (thrown: unknown) => thrown as grpc.ServiceError,
  );
  const details: { -readonly [key in keyof Details]: Details[key] } = { metadata: {}, retryAfterMs: undefined };
  for (const bytes of error?.metadata.get('grpc-status-details-bin') ?? []) {
    for (const { typeUrl, value } of Status.decode(bytes as Buffer).details) {
      if (typeUrl.endsWith('ErrorInfo')) details.metadata = ErrorInfo.decode(value).metadata;
      if (typeUrl.endsWith('RetryInfo')) {
        const { seconds, nanos } = RetryInfo.decode(value).retryDelay!;
        details.retryAfterMs = Number(seconds) * 1_000 + nanos / 1e6;
      }
    }
  }
  return details;
}
