// Reads why the router refused a call: google.rpc.ErrorInfo and BadRequest in the call's status.
import type * as grpc from '@grpc/grpc-js';
import { BadRequest, ErrorInfo } from '../generated/google/rpc/error_details.ts';
import { Status } from '../generated/google/rpc/status.ts';

export interface Refusal {
  /** Empty: the status has none. */
  readonly reason: string;
  /** The invalid field of the request; empty: none. */
  readonly field: string;
}

/** Renames the field of a refusal to the name that the user wrote. */
export class Blamed extends Error {
  readonly refusal: grpc.ServiceError;
  readonly field: string;

  constructor(refusal: grpc.ServiceError, field: string) {
    super(refusal.message, { cause: refusal });
    this.refusal = refusal;
    this.field = field;
  }
}

export function isServiceError(error: unknown): error is grpc.ServiceError {
  return error instanceof Error && 'code' in error && 'details' in error;
}

export function readRefusal(error: grpc.ServiceError): Refusal {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  let reason = '';
  let field = '';
  if (!Buffer.isBuffer(bytes)) return { reason, field };
  for (const { typeUrl, value } of Status.decode(bytes).details) {
    if (typeUrl.endsWith('/google.rpc.ErrorInfo')) reason = ErrorInfo.decode(value).reason;
    if (typeUrl.endsWith('/google.rpc.BadRequest')) field = BadRequest.decode(value).fieldViolations[0]?.field ?? '';
  }
  return { reason, field };
}
