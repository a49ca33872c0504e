// All details of an error for its caller.
import * as grpc from '@grpc/grpc-js';
import { BadRequest, ErrorInfo, RetryInfo } from '../../services/generated/google/rpc/error_details.ts';
import { Status } from '../../services/generated/google/rpc/status.ts';

export interface Refusal {
  readonly code: string;
  readonly reason: string;
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly field: string;
  /** From google.rpc.RetryInfo; undefined: it was not there. */
  readonly retryAfterMs: number | undefined;
}

export function readRefusal(error: grpc.ServiceError): Refusal {
  let info = ErrorInfo.fromPartial({});
  let field = '';
  let retryAfterMs: number | undefined;
  for (const bytes of error.metadata.get('grpc-status-details-bin')) {
    for (const { typeUrl, value } of Status.decode(bytes as Buffer).details) {
      if (typeUrl.endsWith('ErrorInfo')) info = ErrorInfo.decode(value);
      if (typeUrl.endsWith('BadRequest')) field = BadRequest.decode(value).fieldViolations[0]?.field ?? '';
      if (typeUrl.endsWith('RetryInfo')) {
        const { seconds = 0n, nanos = 0 } = RetryInfo.decode(value).retryDelay ?? {};
        retryAfterMs = Number(seconds) * 1_000 + nanos / 1e6;
      }
    }
  }
  const { reason, metadata } = info;
  return { code: grpc.status[error.code], reason, message: error.details, metadata, field, retryAfterMs };
}

/** The refusal of a call; code "OK": it was not refused. */
export async function refusalOf(call: Promise<unknown>): Promise<Refusal> {
  try {
    await call;
  } catch (error) {
    return readRefusal(error as grpc.ServiceError);
  }
  return { code: 'OK', reason: '', message: '', metadata: {}, field: '', retryAfterMs: undefined };
}
