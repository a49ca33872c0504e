// For services of other packages (health, reflection), which add themselves to a server: their requests are counted before
// they are decoded, too.
import type { Server } from '@grpc/grpc-js';
import { checking, decodedBy } from './decoding.ts';
import { checkPlain } from './request-limits.ts';

/** Takes services as `server` does. A request with too many fields ends with gRPC's own INTERNAL: no client sends one. */
export function boundedServer(server: Server): Server {
  const addService: Server['addService'] = (service, implementation) =>
    server.addService(
      decodedBy(service, (decode) => checking(checkPlain, decode)),
      implementation,
    );
  return Object.create(server, { addService: { value: addService } }) as Server;
}
