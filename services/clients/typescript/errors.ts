// Every failed call as one typed error.
import * as grpc from '@grpc/grpc-js';
import { BadRequest, ErrorInfo, RetryInfo } from '../../generated/google/rpc/error_details.ts';
import { Status } from '../../generated/google/rpc/status.ts';
import type { ReasonError } from '../../generated/tandem/v1/reasoning.ts';

export interface FieldViolation {
  /** Example: "encoding[17]". */
  readonly field: string;
  readonly description: string;
}

interface Details {
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly fields: readonly FieldViolation[];
  readonly retryAfterMs: number | undefined;
}

const NO_DETAILS: Details = { reason: '', metadata: {}, fields: [], retryAfterMs: undefined };

export class TandemError extends Error {
  override readonly name = 'TandemError';
  /** The gRPC status. Example: grpc.status.INVALID_ARGUMENT, 3. */
  readonly code: grpc.status;
  /** `reason` of google.rpc.ErrorInfo. Example: "INPUT_LENGTH". Empty: the router did not answer. */
  readonly reason: string;
  /** `metadata` of google.rpc.ErrorInfo. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The fields that are wrong. */
  readonly fields: readonly FieldViolation[];
  /** Delay before another attempt. undefined: the router names none. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, code: grpc.status, details: Details, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.reason = details.reason;
    this.metadata = details.metadata;
    this.fields = details.fields;
    this.retryAfterMs = details.retryAfterMs;
  }

  /** The error of a rejected call of @grpc/grpc-js. */
  static ofCall(error: grpc.ServiceError): TandemError {
    return new TandemError(error.details, error.code, detailsOf(error.metadata), { cause: error });
  }

  /** The error of one input of a batch or a stream. */
  static ofItem({ message, code, reason, field, retryAfterMs }: ReasonError): TandemError {
    const fields = field === '' ? [] : [{ field, description: message }];
    const details = { metadata: {}, reason, fields, retryAfterMs: retryAfterMs || undefined };
    return new TandemError(message, statusOf(code), details);
  }
}

/** A number that gRPC does not know counts as UNKNOWN. */
function statusOf(code: number): grpc.status {
  const name = grpc.status[code] as keyof typeof grpc.status | undefined;
  return name === undefined ? grpc.status.UNKNOWN : grpc.status[name];
}

function detailsOf(trailers: grpc.Metadata): Details {
  const bytes = trailers.get('grpc-status-details-bin')[0];
  if (!(bytes instanceof Buffer)) return NO_DETAILS;
  try {
    return decodeDetails(bytes);
  } catch {
    return NO_DETAILS; // from a proxy, in another form
  }
}

function decodeDetails(bytes: Buffer): Details {
  const details = { ...NO_DETAILS };
  for (const { typeUrl, value } of Status.decode(bytes).details) {
    switch (typeUrl.split('/').at(-1)) {
      case 'google.rpc.ErrorInfo': {
        const { reason, metadata } = ErrorInfo.decode(value);
        Object.assign(details, { reason, metadata });
        break;
      }
      case 'google.rpc.BadRequest':
        details.fields = BadRequest.decode(value).fieldViolations.map(({ field, description }) => ({
          field,
          description,
        }));
        break;
      case 'google.rpc.RetryInfo': {
        const { seconds, nanos } = RetryInfo.decode(value).retryDelay ?? { seconds: 0n, nanos: 0 };
        details.retryAfterMs = Number(seconds) * 1_000 + nanos / 1e6;
        break;
      }
      default: // such as google.rpc.Help
    }
  }
  return details;
}
