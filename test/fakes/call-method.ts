// Calls a method of the API without a connection. The request and the answer are encoded and decoded as on the wire.
import type * as grpc from '@grpc/grpc-js';
import { OpenCalls } from '../../services/api/open-calls.ts';
import type { UnaryOptions } from '../../services/api/unary.ts';
import { RouterError } from '../../services/core/errors.ts';
import type { Method } from '../../services/grpc/method.ts';
import type { Status } from '../../services/grpc/status.ts';
import { FakeCall } from './fake-call.ts';
import { silent } from './fake-parts.ts';

type Rpc<Request, Response> = Pick<
  grpc.MethodDefinition<Request, Response>,
  'path' | 'requestSerialize' | 'responseDeserialize'
>;

export function unaryOptions(): UnaryOptions {
  return { timeoutMs: 10_000, onInternalError: () => undefined, observer: silent, calls: new OpenCalls() };
}

/** Rejects with an error for `refusalOf`, or if the answer's processing time is not the time of the call. */
export async function callMethod<Request, Response>(
  methods: readonly Method[],
  { path, requestSerialize, responseDeserialize }: Rpc<Request, Response>,
  request: Request,
  over: Partial<Pick<FakeCall<Response>, 'metadata' | 'owner' | 'deadlineMs'>> = {},
): Promise<Response> {
  const method = methods.find((each) => each.path === path)!;
  const { promise, resolve } = Promise.withResolvers<Status | undefined>();
  const call = Object.assign(new FakeCall<Response>(resolve), { path }, over);
  method.handle(call, method.decode(requestSerialize(request)) as never);
  const status = await promise;
  if (status !== undefined) throw toServiceError(status);
  const response = responseDeserialize(Buffer.from(method.encode(call.answers[0]!)));
  const { processingTimeMs } = response as { processingTimeMs?: number };
  const isMeasured = processingTimeMs! >= 0 && processingTimeMs! <= performance.now() - call.startedMs;
  if (!isMeasured) throw new Error(`the answer says that it took ${processingTimeMs} ms`);
  return response;
}

function toServiceError({ code, message, metadata }: Status): Error {
  const get = (name: string): Buffer[] => metadata?.getBinary(name) ?? [];
  return Object.assign(new Error(message), { code, details: message, metadata: { get } });
}

/** What `call` throws; undefined: nothing. */
export function thrownBy(call: () => unknown): RouterError | undefined {
  try {
    call();
    return undefined;
  } catch (thrown) {
    return RouterError.from(thrown);
  }
}
