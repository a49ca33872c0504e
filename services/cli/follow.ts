// A stream of answers that runs until Ctrl-C.
import type * as grpc from '@grpc/grpc-js';
import type { Command } from 'commander';
import type { GlobalOptions } from './client.ts';
import { credentialsOf, interceptorsOf } from './credentials.ts';

/** Keepalive: without it, the client would not notice that the router's machine is gone. */
const KEEPALIVE = { 'grpc.keepalive_time_ms': 10_000, 'grpc.keepalive_timeout_ms': 5_000 };

interface Followed<C extends grpc.Client, Response> {
  open(address: string, credentials: grpc.ChannelCredentials, channel: grpc.ClientOptions): C;
  call(client: C): grpc.ClientReadableStream<Response>;
  show(response: Response): void;
}

/** Resolves when the user ends it. Rejects when the router ends it, or if it has not started within --timeout-ms. */
export async function follow<C extends grpc.Client, Response>(
  command: Command,
  { open, call, show }: Followed<C, Response>,
): Promise<void> {
  const options = command.optsWithGlobals<GlobalOptions>();
  const { address, timeoutMs } = options;
  const client = open(address, credentialsOf(options), { ...KEEPALIVE, interceptors: interceptorsOf(options) });
  const stream = call(client);
  let isOver = false;
  const leave = (): void => {
    isOver = true;
    stream.cancel();
  };
  let isLate = false;
  const late = setTimeout(() => {
    isLate = true;
    stream.cancel();
  }, timeoutMs);
  // Not `once`: without our handler, log-update's own handler would treat the signal as fatal.
  process.on('SIGINT', leave);
  try {
    await new Promise<void>((resolve, reject) => {
      stream.on('data', (response: Response) => {
        clearTimeout(late);
        if (!isOver) show(response);
      });
      stream.on('end', resolve);
      stream.on('error', (error) => {
        if (isOver) resolve();
        else reject(isLate ? new Error(`${address} has not answered within ${timeoutMs} ms`) : error);
      });
    });
  } finally {
    clearTimeout(late);
    process.off('SIGINT', leave);
    client.close();
  }
}
