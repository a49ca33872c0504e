// Converts an error kind to a gRPC status with google.rpc details. The only place that does.
import { ERROR_KINDS, type ErrorKind, type RouterError } from '../core/errors.ts';
import { BadRequest, ErrorInfo, RetryInfo } from '../generated/google/rpc/error_details.ts';
import { Status as RpcStatus } from '../generated/google/rpc/status.ts';
import { DETAILS, Metadata } from '../grpc/metadata.ts';
import { Code, type Status } from '../grpc/status.ts';

const TYPE_PREFIX = 'type.googleapis.com/google.rpc.';
/** Clients accept 8 KiB of trailers, and the message is sent up to three times. */
const MAX_MESSAGE_CHARS = 768;

interface Known {
  readonly message: string;
  readonly field: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly status: Status;
}

/** The last one of each kind: a caller that repeats a mistake costs little. */
const known = new Map<ErrorKind, Known>();

export function toStatus(error: RouterError): Status {
  const { kind, message, violation, retryAfterMs } = error;
  const last = known.get(kind);
  if (last !== undefined && last.message === message) {
    const isSame = last.field === violation?.field && last.retryAfterMs === retryAfterMs;
    if (isSame && !hasMetadata(error)) return last.status;
  }
  const status = makeStatus(error);
  if (message.length <= MAX_MESSAGE_CHARS && !hasMetadata(error)) {
    known.set(kind, { message, field: violation?.field, retryAfterMs, status });
  }
  return status;
}

function hasMetadata({ metadata }: RouterError): boolean {
  for (const _ in metadata) return true;
  return false;
}

function makeStatus(error: RouterError): Status {
  const code = Code[ERROR_KINDS[error.kind].code];
  const message = clip(error.message);
  const metadata = Object.fromEntries(Object.entries(error.metadata).map(([key, value]) => [key, clip(value)]));
  const info = { reason: error.kind, domain: 'tandem', metadata };
  const details = [{ typeUrl: `${TYPE_PREFIX}ErrorInfo`, value: Buffer.from(ErrorInfo.encode(info).finish()) }];
  if (error.violation !== undefined) {
    const { field, description } = error.violation;
    const badRequest = BadRequest.fromPartial({ fieldViolations: [{ field, description: clip(description) }] });
    details.push({ typeUrl: `${TYPE_PREFIX}BadRequest`, value: Buffer.from(BadRequest.encode(badRequest).finish()) });
  }
  if (error.retryAfterMs !== undefined) {
    const retryDelay = {
      seconds: BigInt(Math.floor(error.retryAfterMs / 1_000)),
      nanos: (error.retryAfterMs % 1_000) * 1e6,
    };
    details.push({ typeUrl: `${TYPE_PREFIX}RetryInfo`, value: Buffer.from(RetryInfo.encode({ retryDelay }).finish()) });
  }
  const status = RpcStatus.encode(RpcStatus.fromPartial({ code, message, details })).finish();
  return { code, message, metadata: Metadata.of({ [DETAILS]: status }) };
}

export function clip(text: string): string {
  return text.length <= MAX_MESSAGE_CHARS ? text : `${text.slice(0, MAX_MESSAGE_CHARS)}…`;
}
