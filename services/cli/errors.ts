// Whatever went wrong, in words, with an exit code that says whose turn it is.
import * as grpc from '@grpc/grpc-js';
import { CommanderError } from 'commander';
import { ConfigError } from '../config/load.ts';
import { visible } from '../core/visible.ts';
import { BadRequest, ErrorInfo } from '../generated/google/rpc/error_details.ts';
import { Status } from '../generated/google/rpc/status.ts';
import { REFUSED, UNREACHABLE, USAGE } from './exit-codes.ts';
import { UsageError } from './usage-error.ts';

export function failWith(error: unknown, address: string): void {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : USAGE; // it has printed its own message
    return;
  }
  const [text, code] = describe(error, address);
  process.stderr.write(`tandem: ${text}\n`);
  process.exitCode = code;
}

function describe(error: unknown, address: string): [text: string, exitCode: number] {
  if (error instanceof UsageError || error instanceof ConfigError) return [error.message, USAGE];
  if (!isServiceError(error)) return [error instanceof Error ? error.message : String(error), REFUSED];
  const { reason, field } = details(error);
  if (error.code === grpc.status.UNAVAILABLE && reason === '') {
    return [visible(unreachable(error.details, address)), UNREACHABLE];
  }
  const where = field ? `\n  field: ${visible(field)}` : '';
  const name = grpc.status[error.code];
  return [`${name}${reason ? ` (${visible(reason)})` : ''}: ${visible(error.details)}${where}`, REFUSED];
}

/** `details`: of grpc-js. */
function unreachable(details: string, address: string): string {
  if (/certificate|SSL|TLS|self.signed/i.test(details)) {
    const why = /SSL routines:[^:]*:([^:]+)/.exec(details)?.[1] ?? details;
    return `no TLS connection to ${address}: ${why}; check --ca, --cert and --key`;
  }
  if (/Last error: Failed to connect/.test(details)) {
    return `${address} closed the connection; if the router speaks TLS, give --ca FILE`;
  }
  return `no router answers at ${address}; start one with "npm start", or say where it is with --address`;
}

function details(error: grpc.ServiceError): { reason: string; field: string } {
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

function isServiceError(error: unknown): error is grpc.ServiceError {
  return error instanceof Error && 'code' in error && 'details' in error;
}
