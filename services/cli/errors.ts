// Prints errors as text or JSON. The exit code says who must act.
import * as grpc from '@grpc/grpc-js';
import { CommanderError } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { visible, visibleJson, visibleLines } from '../core/visible.ts';
import { REFUSED, UNREACHABLE, USAGE } from './exit-codes.ts';
import { Blamed, isServiceError, readRefusal } from './refusal.ts';
import { UsageError } from './usage-error.ts';

interface Failure {
  /** Name of the gRPC status; "USAGE" or "FAILED" where no router was involved. */
  readonly code: string;
  /** Of google.rpc.ErrorInfo. */
  readonly reason?: string;
  readonly message: string;
  /** What the user wrote that is wrong. */
  readonly field?: string;
  readonly exitCode: number;
}

/** `address`: of the router that was asked. */
export function failWith(error: unknown, address: string, asJson: boolean): void {
  if (error instanceof CommanderError && !asJson) {
    process.exitCode = USAGE; // it has printed its own message
    return;
  }
  const failure = toFailure(error, address);
  process.stderr.write(asJson ? `${visibleJson(JSON.stringify({ error: failure }))}\n` : `tandem: ${words(failure)}\n`);
  process.exitCode = failure.exitCode;
}

function words({ code, reason, message, field, exitCode }: Failure): string {
  // Our own text may have several lines; it contains file names and text from others.
  if (reason === undefined) return exitCode === UNREACHABLE ? visible(message) : visibleLines(message);
  const where = field === undefined ? '' : `\n  field: ${visible(field)}`;
  return `${code}${reason === '' ? '' : ` (${visible(reason)})`}: ${visible(message)}${where}`;
}

function toFailure(error: unknown, address: string): Failure {
  const isUsage = error instanceof UsageError || error instanceof ConfigError || error instanceof CommanderError;
  if (isUsage) return { code: 'USAGE', message: error.message.replace(/^error: /, ''), exitCode: USAGE };
  if (error instanceof Blamed) return { ...toFailure(error.refusal, address), field: error.field };
  if (!isServiceError(error)) {
    return { code: 'FAILED', message: error instanceof Error ? error.message : String(error), exitCode: REFUSED };
  }
  const code = grpc.status[error.code];
  const { reason, field } = readRefusal(error);
  if (error.code === grpc.status.UNAVAILABLE && reason === '') {
    return { code, message: unreachable(error.details, address), exitCode: UNREACHABLE };
  }
  return { code, reason, message: error.details, ...(field === '' ? {} : { field }), exitCode: REFUSED };
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
