// For services of other packages (health, reflection), which add themselves to a server: their requests are counted before
// they are decoded, too.
import type { Server, ServiceDefinition } from '@grpc/grpc-js';
import { checkPlain } from './request-limits.ts';

/** Takes services as `server` does. A request with too many fields ends with gRPC's own INTERNAL: no client sends one. */
export function boundedServer(server: Server): Server {
  const addService: Server['addService'] = (service, implementation) =>
    server.addService(bounded(service), implementation);
  return Object.create(server, { addService: { value: addService } }) as Server;
}

function bounded(service: ServiceDefinition): ServiceDefinition {
  const methods = Object.entries(service).map(([name, method]) => {
    const requestDeserialize = (bytes: Buffer): unknown => {
      checkPlain(bytes);
      return method.requestDeserialize(bytes) as unknown;
    };
    return [name, { ...method, requestDeserialize }] as const;
  });
  return Object.fromEntries(methods);
}
