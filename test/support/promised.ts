// A call of grpc-js as a promise.
import type * as grpc from '@grpc/grpc-js';

type Done<Response> = (error: grpc.ServiceError | null, response: Response) => void;

export function promised<Response>(call: (done: Done<Response>) => unknown): Promise<Response> {
  return new Promise((resolve, reject) => {
    call((error, response) => (error ? reject(error) : resolve(response)));
  });
}
