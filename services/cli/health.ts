// A health check for containers. It runs every few seconds, so it imports as little as possible.
import * as grpc from '@grpc/grpc-js';
import { Command } from 'commander';
import { type GlobalOptions, callOver, connect, print } from './client.ts';
import { REFUSED } from './exit-codes.ts';

/** grpc.health.v1.HealthCheckResponse.ServingStatus. */
const STATUS = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/** grpc.health.v1 without generated code: the request may be empty, and the response is one enum with tag 1. */
class HealthClient extends grpc.Client {
  check(
    _request: object,
    metadata: grpc.Metadata,
    options: grpc.CallOptions,
    callback: (error: grpc.ServiceError | null, status: string) => void,
  ): void {
    const path = '/grpc.health.v1.Health/Check';
    const decode = (bytes: Buffer): string => STATUS[bytes[0] === 0x08 ? (bytes[1] ?? 0) : 0] ?? 'UNKNOWN';
    this.makeUnaryRequest(
      path,
      () => Buffer.alloc(0),
      decode,
      {},
      metadata,
      options,
      (error, status) => callback(error, status ?? 'UNKNOWN'),
    );
  }
}

export function healthCommand(): Command {
  return new Command('health')
    .addHelpText('after', '\nExample: npx tandem health --address unix:/run/tandem/router.sock')
    .action(async (_options: unknown, command: Command) => {
      const { address, timeoutMs } = command.optsWithGlobals<GlobalOptions>();
      const client = connect(command, HealthClient);
      try {
        const status = await callOver(client, (each) => each.check, {}, timeoutMs);
        const hint = status === 'SERVING' ? '' : '; see what is missing at /readyz, or with "npx tandem engines"';
        print(command, { status, address }, () => `${address} says ${status}${hint}`);
        if (status !== 'SERVING') process.exitCode = REFUSED;
      } finally {
        client.close();
      }
    });
}
