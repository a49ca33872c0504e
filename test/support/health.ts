// A client of grpc.health.v1, like a load balancer.
import * as grpc from '@grpc/grpc-js';
import { service } from 'grpc-health-check';

type Status = 'UNKNOWN' | 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';

interface HealthClient extends grpc.Client {
  check(
    request: { service: string },
    done: (error: grpc.ServiceError | null, response: { status: Status }) => void,
  ): unknown;
  watch(request: { service: string }): grpc.ClientReadableStream<{ status: Status }>;
}

/** `name`: of a service; empty: the server as a whole. */
export class Health {
  readonly #client: HealthClient;
  readonly #watches: { cancel(): void }[] = [];

  constructor(address: string) {
    const Client = grpc.makeGenericClientConstructor(service, 'Health');
    this.#client = new Client(address, grpc.credentials.createInsecure()) as unknown as HealthClient;
  }

  check(name = ''): Promise<Status> {
    return new Promise((resolve, reject) => {
      this.#client.check({ service: name }, (error, response) => (error ? reject(error) : resolve(response.status)));
    });
  }

  /** The list of its states from now on, in order; it grows. */
  watch(name = ''): readonly Status[] {
    const said: Status[] = [];
    const watch = this.#client.watch({ service: name });
    watch.on('data', ({ status }: { status: Status }) => said.push(status));
    watch.on('error', () => undefined);
    this.#watches.push(watch);
    return said;
  }

  close(): void {
    for (const watch of this.#watches) watch.cancel();
    this.#client.close();
  }
}
