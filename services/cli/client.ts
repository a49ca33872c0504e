// Calls the router, with one connection for each command.
import * as grpc from '@grpc/grpc-js';
import type { Command } from 'commander';
import { KEEP_TRACE } from '../core/trace-parent.ts';
import { visibleJson, visibleLines } from '../core/visible.ts';
import { type AdminOptions, adminOptions } from './admin-options.ts';
import { credentialsOf, interceptorsOf } from './credentials.ts';

export interface GlobalOptions extends AdminOptions {
  readonly timeoutMs: number;
  readonly json: boolean;
}

type ClientClass<C extends grpc.Client> = new (
  address: string,
  credentials: grpc.ChannelCredentials,
  options: grpc.ClientOptions,
) => C;
type Unary<Request, Response> = (
  request: Request,
  metadata: grpc.Metadata,
  options: grpc.CallOptions,
  callback: (error: grpc.ServiceError | null, response: Response) => void,
) => unknown;

/** A separate connection for commands with several calls; close it. Answers may have any size. */
export function connect<C extends grpc.Client>(command: Command, client: ClientClass<C>): C {
  return connectWith(command.optsWithGlobals<GlobalOptions>(), client);
}

/** The same for administrative calls. */
export function connectAdmin<C extends grpc.Client>(command: Command, client: ClientClass<C>): C {
  return connectWith(adminOptions(command.optsWithGlobals<GlobalOptions>()), client);
}

function connectWith<C extends grpc.Client>(options: GlobalOptions, client: ClientClass<C>): C {
  return new client(options.address, credentialsOf(options), {
    'grpc.max_receive_message_length': -1,
    interceptors: interceptorsOf(options),
  });
}

/** Calls one unary method over a connection. */
export function callOver<C extends grpc.Client, Request, Response>(
  connection: C,
  method: (client: C) => Unary<Request, Response>,
  request: Request,
  timeoutMs: number,
  metadata = new grpc.Metadata(),
): Promise<Response> {
  return new Promise<Response>((resolve, reject) => {
    const deadline = Date.now() + timeoutMs;
    method(connection).call(connection, request, metadata, { deadline }, (error, response) =>
      error ? reject(error) : resolve(response),
    );
  });
}

/** Calls one unary method: `call(command, ReasoningServiceClient, (client) => client.ping, {})`. */
export async function call<C extends grpc.Client, Request, Response>(
  command: Command,
  client: ClientClass<C>,
  method: (client: C) => Unary<Request, Response>,
  request: Request,
): Promise<Response> {
  return callWith(command.optsWithGlobals<GlobalOptions>(), client, method, request);
}

/** As `call`, for calls that change what runs. */
export async function callAdmin<C extends grpc.Client, Request, Response>(
  command: Command,
  client: ClientClass<C>,
  method: (client: C) => Unary<Request, Response>,
  request: Request,
): Promise<Response> {
  return callWith(adminOptions(command.optsWithGlobals<GlobalOptions>()), client, method, request);
}

async function callWith<C extends grpc.Client, Request, Response>(
  options: GlobalOptions,
  client: ClientClass<C>,
  method: (client: C) => Unary<Request, Response>,
  request: Request,
): Promise<Response> {
  const connection = connectWith(options, client);
  const metadata = new grpc.Metadata();
  metadata.set(KEEP_TRACE.name, KEEP_TRACE.value); // the answer contains the trace id
  try {
    return await callOver(connection, method, request, options.timeoutMs, metadata);
  } finally {
    connection.close();
  }
}

/** Prints JSON with --json, else text. */
export function print(command: Command, json: unknown, people: () => string): void {
  const { json: isJson } = command.optsWithGlobals<GlobalOptions>();
  const text = isJson ? visibleJson(JSON.stringify(json, null, 2)) : visibleLines(people());
  process.stdout.write(`${text}\n`);
}
