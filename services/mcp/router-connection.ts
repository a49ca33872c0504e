// Calls to a running router for the tools.
import * as grpc from '@grpc/grpc-js';
import { ErrorInfo } from '../generated/google/rpc/error_details.ts';
import { Status } from '../generated/google/rpc/status.ts';

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
) => grpc.ClientUnaryCall;

export interface ConnectionOptions {
  readonly address: string;
  readonly credentials: grpc.ChannelCredentials;
  readonly channel: grpc.ClientOptions;
  /** Time limit of each call, milliseconds. */
  readonly timeoutMs: number;
}

export class RouterConnection {
  readonly #options: ConnectionOptions;
  readonly #clients = new Map<ClientClass<grpc.Client>, grpc.Client>();

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Calls a unary method. Throws an Error whose message says what is wrong and what to do. */
  call<C extends grpc.Client, Request, Response>(
    of: ClientClass<C>,
    method: (client: C) => Unary<Request, Response>,
    request: Request,
    signal: AbortSignal,
  ): Promise<Response> {
    const client = this.#client(of);
    return new Promise((resolve, reject) => {
      const deadline = Date.now() + this.#options.timeoutMs;
      const call = method(client).call(client, request, new grpc.Metadata(), { deadline }, (error, response) => {
        signal.removeEventListener('abort', cancel);
        if (error === null) resolve(response);
        else reject(this.#explain(error));
      });
      const cancel = (): void => call.cancel();
      signal.addEventListener('abort', cancel);
      if (signal.aborted) cancel();
    });
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
  }

  #client<C extends grpc.Client>(of: ClientClass<C>): C {
    let client = this.#clients.get(of) as C | undefined;
    if (client === undefined) {
      const { address, credentials, channel } = this.#options;
      client = new of(address, credentials, channel);
      this.#clients.set(of, client);
    }
    return client;
  }

  #explain(error: grpc.ServiceError): Error {
    const reason = reasonOf(error);
    if (error.code === grpc.status.UNAVAILABLE && reason === '') {
      return new Error(`no router answers at ${this.#options.address}; start one with "npm start"`, { cause: error });
    }
    const name = grpc.status[error.code];
    return new Error(`${name}${reason === '' ? '' : ` (${reason})`}: ${error.details}`, { cause: error });
  }
}

/** From google.rpc.ErrorInfo; empty: none. */
function reasonOf({ metadata }: grpc.ServiceError): string {
  const [bytes] = metadata.get('grpc-status-details-bin');
  if (!Buffer.isBuffer(bytes)) return '';
  const info = Status.decode(bytes).details.find(({ typeUrl }) => typeUrl.endsWith('/google.rpc.ErrorInfo'));
  return info === undefined ? '' : ErrorInfo.decode(info.value).reason;
}
